import CLinux
import Glibc
public import SystemPackage

/// Runs one system call and throws what it left in `errno`; a call that a signal interrupted is made again.
///
/// The errno is read on the line after the call: anything in between could overwrite it.
@inlinable
@discardableResult
public func systemCall<Result: FixedWidthInteger>(_ body: () -> Result) throws(Errno) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = Glibc.errno
        if code != EINTR { throw Errno(rawValue: code) }
    }
}

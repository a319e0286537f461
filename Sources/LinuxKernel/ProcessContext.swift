import CLinux
import Glibc
public import SystemPackage

/// What the process got from whoever started it, as bytes.
public enum ProcessContext {
    /// The value of an environment variable: getenv(3); nil when it is not set.
    public static func environmentVariable(_ name: String) -> [UInt8]? {
        guard let value = getenv(name) else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    /// This process's number.
    public static var identifier: pid_t { getpid() }

    /// Whether there is a process of this number: kill(2) with no signal.
    public static func isAlive(_ process: pid_t) -> Bool {
        process > 0 && (kill(process, 0) == 0 || errno == EPERM)
    }

    /// The effective user.
    public static var user: uid_t { geteuid() }

    /// The capabilities in effect, a bit each as in capabilities(7); nil where /proc does not tell.
    public static var capabilities: UInt64? {
        guard let file = try? OwnedDescriptor.open(Array("/proc/self/status".utf8), flags: O_RDONLY),
            let text = try? file.readToEnd(),
            let line = text.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: "CapEff:".utf8) })
        else { return nil }
        return UInt64(String(decoding: line.drop { $0 != UInt8(ascii: "\t") }.dropFirst(), as: UTF8.self), radix: 16)
    }

    /// Whether a descriptor is a terminal: isatty(3).
    public static func isTerminal(_ descriptor: CInt) -> Bool { isatty(descriptor) == 1 }

    /// This host's name as the kernel has it (gethostname(2)).
    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, 255) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// All environment variables, as `NAME=VALUE` (environ(7)).
    public static var environment: [[UInt8]] { strings(clinux_environment()) }

    /// The process's name and arguments, also where there is no /proc, which `CommandLine` takes them from.
    public static var arguments: [[UInt8]] { strings(clinux_arguments()) }

    /// - Parameter array: of C strings, ended by NULL.
    private static func strings(_ array: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [[UInt8]] {
        guard var next = array else { return [] }
        var strings: [[UInt8]] = []
        while let string = next.pointee {
            strings.append([UInt8](UnsafeRawBufferPointer(start: string, count: strlen(string))))
            next += 1
        }
        return strings
    }

    /// The absolute path of the working directory: getcwd(3).
    ///
    /// - Throws: the errno of getcwd(3); `ENOENT` when the directory was removed.
    public static func workingDirectory() throws(Errno) -> [UInt8] {
        guard let path = getcwd(nil, 0) else { throw Errno(rawValue: Glibc.errno) }
        defer { free(path) }
        return [UInt8](UnsafeRawBufferPointer(start: path, count: strlen(path)))
    }
}

/// Writes all of `bytes` to a descriptor that somebody else owns: write(2), as often as it takes.
///
/// - Throws: the errno of write(2); some of the bytes may have gone out.
public func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) throws(Errno) {
    var done = 0
    while done < bytes.count {
        done += try systemCall { Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done) }
    }
}

import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

/// A directory of a test's own, removed with all that is in it when the test lets go of it.
struct TemporaryDirectory: ~Copyable {
    /// Absolute, ASCII.
    let path: String
    var bytes: [UInt8] { Array(path.utf8) }

    init() throws {
        var template = Array("/tmp/linuxkernel-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { _ = system("rm -rf --one-file-system '\(path)'") }

    /// Opens the directory itself.
    borrowing func open(_ access: DirectoryAccess = .list) throws(Errno) -> OwnedDescriptor {
        try .openDirectory(bytes, access: access)
    }

    /// Makes a file that holds `contents`, or writes it anew.
    borrowing func write(_ name: String, _ contents: String = "") throws(Errno) {
        let file = try OwnedDescriptor.open(
            Array("\(path)/\(name)".utf8), flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        var text = contents
        let error = text.withUTF8 { file.write(UnsafeRawBufferPointer($0)).error }
        if let error { throw error }
    }

    /// Makes a directory, or nothing if it exists.
    @discardableResult
    borrowing func directory(_ name: String) -> [UInt8] {
        mkdir("\(path)/\(name)", 0o700)
        return Array("\(path)/\(name)".utf8)
    }
}

/// What a test about mounts needs; decided once, by mounting.
enum Mounting {
    static let isPossible: Bool = {
        guard geteuid() == 0, access("/dev/loop-control", F_OK) == 0, let place = try? TemporaryDirectory() else {
            return false
        }
        guard system("mount -t tmpfs none '\(place.path)' 2>/dev/null") == 0 else { return false }
        return system("umount '\(place.path)'") == 0
    }()

    static func hasProgram(_ name: String) -> Bool { system("command -v \(name) >/dev/null") == 0 }
}

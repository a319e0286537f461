import Glibc
import LinuxKernel
import Testing

/// A directory of a test's own, removed when the test lets go of it.
final class MetricsDirectory {
    let path: String
    private var isMounted = false

    init() throws {
        var template = Array("/tmp/nfs-changes-metrics-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        if isMounted { umount2(path, 2) }  // MNT_DETACH
        _ = system("rm -rf --one-file-system '\(path)'")
    }

    var bytes: [UInt8] { Array(path.utf8) }

    /// Mounts a tmpfs over it.
    func limit(toBytes size: Int) throws {
        try #require(mount("nfs-changes-test", path, "tmpfs", 0, "size=\(size)") == 0)
        isMounted = true
    }

    func read(_ name: String) throws -> [UInt8] {
        try OwnedDescriptor.open(Array("\(path)/\(name)".utf8), flags: O_RDONLY).readToEnd()
    }

    /// Makes a file.
    ///
    /// - Returns: whether all of it found room.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> Bool {
        let file = try OwnedDescriptor.open(
            Array("\(path)/\(name)".utf8), flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        return bytes.withUnsafeBytes { file.write($0).error } == nil
    }

    var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

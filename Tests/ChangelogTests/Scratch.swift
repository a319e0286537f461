import Glibc
import LinuxKernel
import SystemPackage
import Testing

@testable import Changelog

/// A directory of its own for one test, and what is done there from outside. Gone with the object, mounts included.
final class Scratch: Sendable {
    let root: String

    init() {
        var template = Array("/tmp/nfs-changes-log-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp: \(errno)") }
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        for path in Self.entries(root) { while umount2(path, 2) == 0 {} }  // MNT_DETACH, mounts over mounts too
        for path in Self.entries(root).reversed() { _ = remove(path) }
        _ = remove(root)
    }

    /// Everything below, parents first.
    private static func entries(_ directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            let path = "\(directory)/\(name)"
            found.append(path)
            if entry.pointee.d_type == UInt8(DT_DIR) { found += entries(path) }
        }
        return found
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }
    func bytes(_ name: String) -> [UInt8] { Array(path(name).utf8) }

    func makeDirectory(_ name: String) { expectZero(mkdir(path(name), 0o755)) }
    func move(_ from: String, _ to: String) { expectZero(rename(path(from), path(to))) }
    func removeFile(_ name: String) { expectZero(unlink(path(name))) }
    func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    func write(_ name: String, _ text: [UInt8]) throws {
        let file = try OwnedDescriptor.open(bytes(name), flags: O_WRONLY | O_CREAT | O_TRUNC)
        text.withUnsafeBytes { #expect(file.write($0).error == nil) }
    }

    func read(_ name: String) throws -> [UInt8] {
        try OwnedDescriptor.open(bytes(name), flags: O_RDONLY).readToEnd()
    }

    /// The file's lines; fails the test when the last has no newline.
    func lines(_ name: String) throws -> [String] {
        let text = try read(name)
        #expect(text.isEmpty || text.last == UInt8(ascii: "\n"), "torn line at the end of \(name)")
        return text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Mounts (root only)

    static let canMount: Bool = {
        guard geteuid() == 0 else { return false }
        let scratch = Scratch()
        return mount("tmpfs", scratch.root, "tmpfs", 0, "size=64k") == 0 && umount2(scratch.root, 2) == 0
    }()

    func mountTemporary(_ name: String, size: String = "1m") {
        if !exists(name) { makeDirectory(name) }
        expectZero(mount("tmpfs", path(name), "tmpfs", 0, "size=\(size)"))
    }

    func remount(_ name: String, readOnly: Bool) -> Int32 {
        mount("tmpfs", path(name), "tmpfs", 32 | (readOnly ? 1 : 0), nil) == 0 ? 0 : errno  // MS_REMOUNT, MS_RDONLY
    }

    /// Changes the size of a mounted tmpfs.
    func resize(_ name: String, _ size: String) -> Int32 {
        mount("tmpfs", path(name), "tmpfs", 32, "size=\(size)") == 0 ? 0 : errno
    }

    /// Leaves no room on a small file system, until `ballast` is removed.
    func fillUp(_ name: String) -> Bool {
        guard let file = try? OwnedDescriptor.open(bytes("\(name)/ballast"), flags: O_WRONLY | O_CREAT) else {
            return false
        }
        return [UInt8](repeating: 0, count: 2 << 20).withUnsafeBytes { file.write($0).error == .noSpace }
    }

    func unmount(_ name: String, lazily: Bool = false) -> Int32 {
        umount2(path(name), lazily ? 2 : 0) == 0 ? 0 : errno
    }

    private func expectZero(_ result: Int32, _ location: SourceLocation = #_sourceLocation) {
        let code = errno
        #expect(result == 0, "errno \(code)", sourceLocation: location)
    }
}

/// Waits for a condition that another thread brings about; false after ten seconds.
func eventually(seconds: Int64 = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = MonotonicTime.now.advanced(milliseconds: seconds * 1000)
    while try !condition() {
        if MonotonicTime.now > deadline { return false }
        usleep(500)
    }
    return true
}

extension ChangelogAppender {
    mutating func append(_ text: String) throws(ChangelogFailure) {
        var failure: ChangelogFailure? = nil
        Array(text.utf8).withUnsafeBytes { bytes in
            do throws(ChangelogFailure) { try append(bytes) { _ in nil } } catch { failure = error }
        }
        if let failure { throw failure }
    }

    mutating func failure(appending text: String) -> ChangelogFailure? {
        do throws(ChangelogFailure) {
            try append(text)
            return nil
        } catch {
            return error
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

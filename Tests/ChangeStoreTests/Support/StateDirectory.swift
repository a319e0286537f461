import Glibc
import LinuxKernel
import Testing

@testable import ChangeStore

/// A state directory of its own for one test; gone with the object, mounts included.
final class StateDirectory: Sendable {
    let path: String
    var bytes: [UInt8] { Array(path.utf8) }
    var files: StoreFiles { StoreFiles(directory: bytes) }
    var database: String { path + "/store.db" }

    init(prefix: String = "/tmp/nfs-changes-store-test") {
        var template = Array("\(prefix).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp: \(errno)") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        while umount2(path, 2) == 0 {}  // MNT_DETACH
        for name in ["/consumers", ""] {
            for file in FileSystemLook.names(in: Array((path + name).utf8)) {
                _ = remove("\(path)\(name)/" + String(decoding: file, as: UTF8.self))
            }
            _ = remove(path + name)
        }
    }

    func open(hashBits: Int64 = 48) throws -> Store { try Store(files: files, hashBits: hashBits) }
    func reader() throws -> StoreReader { try StoreReader(stateDirectory: bytes) }

    /// A connection that sees what the store's own does not show.
    func raw(_ access: Database.Access = .readOnly) throws -> Database {
        try Database(path: files.database, access: access)
    }

    /// Bytes of a file in the directory; 0 when there is none.
    func size(_ name: String) -> Int64 {
        var information = stat()
        return stat("\(path)/\(name)", &information) == 0 ? Int64(information.st_size) : 0
    }

    func read(_ name: String) throws -> [UInt8] {
        try OwnedDescriptor.open(Array("\(path)/\(name)".utf8), flags: O_RDONLY).readToEnd()
    }

    func write(_ content: [UInt8], to name: String) throws {
        let file = try OwnedDescriptor.open(Array("\(path)/\(name)".utf8), flags: O_WRONLY | O_CREAT | O_TRUNC)
        content.withUnsafeBytes { #expect(file.write($0).error == nil) }
    }

    /// Mounting is for root, and not even for root in every container.
    static let canMount: Bool = {
        guard geteuid() == 0 else { return false }
        let directory = StateDirectory()
        return mount("tmpfs", directory.path, "tmpfs", 0, "size=64k") == 0
    }()
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

/// A seed for a randomised test, printed so that a failure can be repeated.
func freshSeed(_ test: String = #function) -> UInt64 {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("\(test): seed \(seed)")
    return seed
}

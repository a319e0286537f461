import ChangeStore
import Glibc
import LinuxKernel
import Testing

@testable import ChangesCommands

/// A real store with a history of a test's own; gone with the object.
final class StoredHistory {
    let directory: [UInt8]
    let store: Store
    private(set) var records: [ChangeRecord] = []

    init() throws {
        var template = Array("/tmp/nfs-changes-query-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp: \(errno)") }
        directory = template.dropLast().map(UInt8.init(bitPattern:))
        store = try Store(files: StoreFiles(directory: directory))
    }

    deinit {
        for part in ["/consumers", ""] {
            let place = directory + Array(part.utf8)
            for name in FileSystemLook.names(in: place) {
                _ = remove(String(decoding: place + [UInt8(ascii: "/")] + name, as: UTF8.self))
            }
            _ = remove(String(decoding: place, as: UTF8.self))
        }
    }

    func reader() throws -> StoreReader { try StoreReader(stateDirectory: directory) }

    /// Appends rows in a transaction of its own; their sequence numbers are the store's to give.
    func commit(_ rows: [ChangeRecord]) throws {
        try store.begin()
        for row in rows {
            let (directory, name) = try place(row.path)
            let from = try row.from.map { try place($0) }
            var stored = row
            stored.sequence = try name.withUnsafeBytes { name in
                try (from?.name ?? []).withUnsafeBytes { old in
                    try store.append(
                        ChangeEvent(
                            kind: row.kind, type: row.type, size: row.size, directory: directory, name: name,
                            from: from.map { ($0.directory, old) }),
                        at: row.at)
                }
            }
            records.append(stored)
        }
        try store.commitTransaction()
    }

    /// Gives the index a root.
    func addRoot(_ path: String) throws {
        try store.begin()
        let identity = DirectoryIdentity(
            key: InodeKey(fileSystem: FileSystemID(rawValue: 1), inode: UInt64(path.utf8.count)), born: 0)
        _ = try Array(path.utf8).withUnsafeBytes {
            try store.addDirectory($0, in: .roots, identity: identity)
        }
        try store.commitTransaction()
    }

    private var paths: [[UInt8]: PathID] = [:]

    private func place(_ path: [UInt8]) throws -> (directory: PathID, name: [UInt8]) {
        let slash = try #require(path.lastIndex(of: UInt8(ascii: "/")))
        let directory = slash == 0 ? [UInt8(ascii: "/")] : Array(path[..<slash])
        let id = try paths[directory] ?? store.intern(path: directory)
        paths[directory] = id
        return (id, Array(path[(slash + 1)...]))
    }
}

/// A row without its number.
func change(
    second: Int64, _ kind: ChangeKind, _ path: String, type: FileType = .file, size: Int64 = 0, from: String? = nil
) -> ChangeRecord {
    ChangeRecord(
        sequence: 0, at: Timestamp(seconds: 1_795_399_205 + second, nanoseconds: 250_000_007), kind: kind,
        path: Array(path.utf8), type: type, size: size, from: from.map { Array($0.utf8) })
}

/// What `body` writes, through a real descriptor.
func written(_ body: (inout Output) throws -> Void) throws -> [UInt8] {
    let file = try #require(tmpfile())
    defer { fclose(file) }
    var output = Output(descriptor: fileno(file), capacity: 64)
    try body(&output)
    try output.flush()
    var bytes = [UInt8](repeating: 0, count: Int(lseek(fileno(file), 0, SEEK_END)))
    #expect(pread(fileno(file), &bytes, bytes.count, 0) == bytes.count)
    return bytes
}

/// Latin-1, so that bytes that are no text stay visible.
func visible(_ bytes: [UInt8]) -> String { String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })) }

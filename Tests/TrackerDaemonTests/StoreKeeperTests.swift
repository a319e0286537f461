import ChangeStore
import Glibc
import LinuxKernel
import Logging
import Testing

@testable import TrackerDaemon

@Suite struct StoreKeeperTests {
    private let scratch: Scratch
    private let files: StoreFiles
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        scratch = try Scratch()
        files = StoreFiles(directory: scratch.bytes)
    }

    private var kept: [String] {
        FileSystemLook.names(in: scratch.bytes).map { String(decoding: $0, as: UTF8.self) }
            .filter { $0.contains("damaged") }.sorted()
    }

    private func write(_ bytes: [UInt8], to path: [UInt8]) throws {
        let file = try OwnedDescriptor.open(path, flags: O_WRONLY | O_CREAT | O_TRUNC)
        #expect(bytes.withUnsafeBytes { file.write($0) }.error == nil)
    }

    private func read(_ name: String) throws -> [UInt8] {
        try OwnedDescriptor.open(files.file(name), flags: O_RDONLY).readToEnd()
    }

    @Test func aSoundStoreIsOpenedAsItIs() throws {
        let uuid = try {
            let store = try StoreKeeper.open(files, log: log)
            try store.close()
            return store.uuid
        }()
        #expect(try StoreKeeper.open(files, log: log).uuid == uuid)
        #expect(kept.isEmpty)
    }

    @Test func aDamagedStoreIsKeptAndANewOneMade() throws {
        let damage = [UInt8](repeating: 0x55, count: 8_192)
        try write(damage, to: files.database)
        let store = try StoreKeeper.open(files, log: log)
        #expect(store.isNew && !store.uuid.isEmpty)
        let name = try #require(kept.first { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") })
        #expect(name.hasPrefix("store.db.damaged-"))
        #expect(try read(name) == damage)
    }

    @Test func theNewStoreHasAnotherIdentity() throws {
        let first = try StoreKeeper.open(files, log: log).uuid
        try write([UInt8](repeating: 0x55, count: 8_192), to: files.database)
        #expect(try StoreKeeper.open(files, log: log).uuid != first)
    }

    /// A store of a newer version is not damaged: it must stay in its place.
    @Test func aNewerStoreIsRefusedAndStays() throws {
        try { try StoreKeeper.open(files, log: log).close() }()
        var header = try read("store.db")
        // The database header's user version: 4 bytes, big-endian, at 60 (sqlite.org/fileformat.html).
        header.replaceSubrange(60..<64, with: [0, 0, 0, 99])
        try write(header, to: files.database)
        #expect { try StoreKeeper.open(files, log: log) } throws: { error in
            guard case .newerSchema? = (error as? StoreError)?.reason else { return false }
            return true
        }
        #expect(kept.isEmpty)
    }
}

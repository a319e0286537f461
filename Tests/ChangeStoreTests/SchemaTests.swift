import LinuxKernel
import Testing

@testable import ChangeStore

@Suite struct SchemaTests {
    private let state = StateDirectory()

    @Test func anEmptyFileBecomesThisVersions() throws {
        try state.write([], to: "store.db")
        #expect(storeError { _ = try state.reader() }?.reason == .notFound)
        let store = try state.open()
        #expect(try store.database.integer("PRAGMA user_version") == Schema.current)
        #expect(try state.reader().rows().isEmpty)
    }

    @Test(arguments: 0..<Schema.migrations.count) func everyVersionMigratesToThisOne(_ version: Int) throws {
        do {
            let old = try state.raw(.readWrite)
            // Which the third of them calls.
            old.defineEntryHash()
            for migration in Schema.migrations[..<version] { try old.execute(migration) }
            try old.execute("PRAGMA user_version = \(version)")
        }
        let migrated = try tables(state.open())
        let fresh = StateDirectory()
        #expect(try migrated == tables(fresh.open()))
    }

    @Test func theNamesOfAnOlderStoreAreFound() throws {
        do {
            let old = try state.raw(.readWrite)
            for migration in Schema.migrations[..<2] { try old.execute(migration) }
            try old.execute(
                """
                PRAGMA user_version = 2;
                INSERT INTO meta VALUES ('uuid', '00112233-4455-4677-8899-aabbccddeeff');
                INSERT INTO entries VALUES (1, x'61', 1, 5), (1, x'62', 1, 6), (2, x'63', 1, 5);
                INSERT INTO inodes VALUES (1, 5, 1, x'61', x'80000000000000000000000000');
                INSERT INTO inodes SELECT fs, 6, directory, x'62', attributes FROM inodes;
                INSERT INTO links VALUES (1, 5, 2, x'63');
                """)
        }
        let store = try state.open()
        let attributes = EntryAttributes.file()
        for inode in [UInt64(5), 6] { try store.setAttributes(attributes, of: InodeKey(inode)) }
        #expect(
            try Set(store.listing(of: DirectoryID(rawValue: 1)).map(\.name)) == [[0x61], [0x62]])
        #expect(try store.listing(of: DirectoryID(rawValue: 2)).map(\.name) == [[0x63]])
        #expect(try store.entry([0x63], in: DirectoryID(rawValue: 2))?.key == InodeKey(5))
    }

    private func tables(_ store: Store) throws -> String? {
        #expect(try store.database.integer("PRAGMA user_version") == Schema.current)
        return try store.database.text(
            "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)")
    }

    @Test func aNewerSchemaIsRefusedAndLeftAsItIs() throws {
        let newer = Schema.current + 3
        do {
            let store = try state.open()
            try store.commitRows(1, in: store.intern(path: [0x2F]))
            try store.database.execute("PRAGMA user_version = \(newer)")
            try store.close()
        }
        for error in [storeError { _ = try state.open() }, storeError { _ = try state.reader() }] {
            #expect(error?.reason == .newerSchema(found: newer, known: Schema.current))
            #expect(
                error?.description
                    == "opening the store: the store has schema \(newer) and this program knows up to "
                    + "\(Schema.current): install the newer version again, or start with another state directory")
        }
        #expect(try state.raw().integer("SELECT count(*) FROM history") == 1)
    }

    @Test func whatIsNoDatabaseIsCorrupt() throws {
        try state.write(Array(repeating: 0x41, count: 8_192), to: "store.db")
        #expect(storeError { _ = try state.open() }?.reason == .corrupt)
        #expect(storeError { _ = try state.reader() }?.reason == .corrupt)
    }

    @Test func damagedPagesAreCorrupt() throws {
        do {
            let store = try state.open()
            try store.commitRows(2_000, in: store.intern(path: [0x2F]))
            try store.close()
        }
        var content = try state.read("store.db")
        for index in 4_096..<content.count { content[index] = 0xA5 }
        try state.write(content, to: "store.db")
        let error = storeError {
            let store = try state.open()
            try store.commitRows(10, in: store.intern(path: [0x2F]))
        }
        #expect(error?.reason == .corrupt)
        #expect(storeError { _ = try state.reader().rows() }?.reason == .corrupt)
    }

    @Test func aDirectoryWithoutAStoreSaysSo() {
        let error = storeError { _ = try state.reader() }
        #expect(error?.reason == .notFound)
        #expect(error?.description == "opening the store: there is none in \(state.path)")
        #expect(FileSystemLook.names(in: state.bytes).isEmpty, "a reader makes nothing")
    }
}

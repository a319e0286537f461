import LinuxKernel

@testable import ChangeStore

extension EntryAttributes {
    /// A plain file of `size` bytes.
    static func file(size: Int64 = 0, links: UInt32 = 1) -> EntryAttributes {
        EntryAttributes(
            mode: 0o100644, owner: 33, group: 33, linkCount: links, size: size, deviceNumber: 0,
            modified: Timestamp(nanoseconds: 1_700_000_000_123_456_789),
            changed: Timestamp(nanoseconds: 1_700_000_000_123_456_789), isRacy: false)
    }

    /// Anything the type can hold, the ends of the ranges more often than chance would.
    static func random(using generator: inout some RandomNumberGenerator) -> EntryAttributes {
        func any<Value: FixedWidthInteger>(_ type: Value.Type) -> Value {
            let bits = Value(truncatingIfNeeded: generator.next())
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: return [.min, .max, 0, 1].randomElement(using: &generator) ?? 0
            case 1: return bits >> Int.random(in: 0..<Value.bitWidth, using: &generator)
            default: return bits
            }
        }
        let mode = any(UInt16.self)
        let isDevice = [.characterDevice, .blockDevice].contains(FileType(mode: mode))
        return EntryAttributes(
            mode: mode, owner: any(UInt32.self), group: any(UInt32.self), linkCount: any(UInt32.self),
            size: any(Int64.self), deviceNumber: isDevice ? any(UInt64.self) : 0,
            modified: Timestamp(nanoseconds: any(Int64.self)), changed: Timestamp(nanoseconds: any(Int64.self)),
            boundary: isDevice ? .none : [.none, .mount, .subvolume].randomElement(using: &generator) ?? .none,
            isRacy: Bool.random(using: &generator))
    }
}

extension InodeKey {
    init(_ inode: UInt64, on fileSystem: Int32 = 1) {
        self.init(fileSystem: FileSystemID(rawValue: fileSystem), inode: inode)
    }
}

extension Store {
    @discardableResult
    func add(
        _ name: [UInt8], in directory: DirectoryID, _ key: InodeKey, _ attributes: EntryAttributes = .file()
    ) throws -> Bool {
        try name.withUnsafeBytes { try add($0, in: directory, key: key, attributes: attributes) }
    }

    @discardableResult
    func remove(_ name: [UInt8], in directory: DirectoryID, _ key: InodeKey) throws -> EntryName? {
        try name.withUnsafeBytes { try remove($0, in: directory, key: key) }
    }

    func entry(_ name: [UInt8], in directory: DirectoryID) throws -> IndexedEntry? {
        try name.withUnsafeBytes { try entry(in: directory, named: $0) }
    }

    func listing(of directory: DirectoryID) throws -> [(name: [UInt8], entry: IndexedEntry)] {
        var all: [(name: [UInt8], entry: IndexedEntry)] = []
        try forEachEntry(in: directory) { all.append(([UInt8]($0), $1)) }
        return all
    }

    /// Appends one row.
    @discardableResult
    func append(
        _ name: [UInt8], _ kind: ChangeKind = .modified, in path: PathID, size: Int64 = 0,
        from: (directory: PathID, name: [UInt8])? = nil, at: Timestamp = .now
    ) throws -> Int64 {
        try name.withUnsafeBytes { name in
            try (from?.name ?? []).withUnsafeBytes { old in
                try append(
                    ChangeEvent(
                        kind: kind, type: .file, size: size, directory: path, name: name,
                        from: from.map { ($0.directory, old) }),
                    at: at)
            }
        }
    }

    /// A transaction of its own with `count` rows.
    @discardableResult
    func commitRows(
        _ count: Int, in path: PathID, name: String = "file", at: Timestamp = .now
    ) throws -> [Int64] {
        try begin()
        let rows = try (0..<count).map { try append(Array("\(name)\($0)".utf8), in: path, at: at) }
        try commitTransaction()
        return rows
    }

    /// Leaves only `count` numbers of the reserved range.
    func skipReservedNumbers(leaving count: Int64) {
        sequences = SequenceRange(next: max(sequences.next, sequences.end - count + 1), end: sequences.end)
    }
}

extension StoreReader {
    func rows(after sequence: Int64 = 0) throws -> [ChangeRecord] {
        var rows: [ChangeRecord] = []
        try run(HistoryScan(after: sequence, through: .max)) {
            rows.append($0.record)
            return .next
        }
        return rows
    }
}

/// The error of a body that must fail with one.
func storeError(_ body: () throws -> Void) -> StoreError? {
    do { try body() } catch { return error as? StoreError }
    return nil
}

public import ChangeStore
import Glibc
import LinuxKernel
import SystemPackage

/// What a destination has and this configuration does not copy: excluded since, or of a root that was taken out.
public struct OrphanList: Equatable, Sendable {
    /// The outermost orphans, relative to the source, each with how many paths it is with what is in it.
    public internal(set) var tops: [[UInt8]: Int64] = [:]
    /// All paths, those included that have no place in `tops`.
    public internal(set) var count: Int64 = 0

    /// More are counted, and listed once some of these are removed.
    static let mostTops = 200_000

    public init() {}

    /// Adds a path, after the directories that it is in.
    mutating func add(_ path: [UInt8]) {
        count += 1
        if let top = top(of: path) {
            tops[top, default: 0] += 1
        } else if tops.count < Self.mostTops {
            tops[path] = 1
        }
    }

    /// The outermost orphan that a path is or is in.
    func top(of path: [UInt8]) -> [UInt8]? {
        if tops[path] != nil { return path }
        return path.indices.lazy.filter { path[$0] == UInt8(ascii: "/") }.map { Array(path[..<$0]) }
            .first { tops[$0] != nil }
    }

    mutating func remove(_ path: [UInt8]) {
        count = max(0, count - (tops.removeValue(forKey: path) ?? 0))
    }

    // MARK: In the state directory

    private static let note = "orphans"

    /// How many a destination had when they were last counted; nil: nobody looked yet.
    public static func count(_ notes: [String: [UInt8]]) -> Int64? {
        notes[note].flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
    }

    public static func count(in consumer: Consumer) throws(StoreError) -> Int64? {
        guard let value = try consumer.note(note) else { return nil }
        return count([note: value])
    }

    private static func file(of name: String, _ stateDirectory: [UInt8]) -> [UInt8] {
        stateDirectory + Array("/offsite/\(name)/orphans".utf8)
    }

    /// Reads what was saved; empty when nothing was.
    public init(of name: String, stateDirectory: [UInt8], consumer: Consumer) throws(StoreError) {
        count = try Self.count(in: consumer) ?? 0
        let file = Self.file(of: name, stateDirectory)
        guard count > 0, let bytes = try? OwnedDescriptor.open(file, flags: O_RDONLY).readToEnd() else { return }
        for record in bytes.split(separator: 0) {
            guard let space = record.firstIndex(of: UInt8(ascii: " ")),
                let number = Int64(String(decoding: record[..<space], as: UTF8.self))
            else { continue }
            tops[Array(record[(space + 1)...])] = number
        }
    }

    func save(for name: String, stateDirectory: [UInt8], consumer: Consumer) throws {
        var bytes: [UInt8] = []
        for (path, count) in tops {
            bytes += Array("\(count) ".utf8) + path
            bytes.append(0)
        }
        let file = Self.file(of: name, stateDirectory)
        do throws(Errno) { try replaceFile(file, with: bytes) } catch {
            throw SyncFailure.system("writing \(OctalEscapes.display(file))", error)
        }
        try consumer.setNote(Self.note, Array("\(count)".utf8))
    }
}

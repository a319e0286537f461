import Glibc
import LinuxKernel
public import SystemPackage

/// "Logged up to N": the file `changelog.position` in the state directory, one line `<store UUID> <sequence>`.
public struct ChangelogPosition: Equatable, Sendable {
    /// The UUID of the store that the number belongs to: in another store it means nothing.
    public var store: String
    /// Every row up to this one is durably in some generation of the log.
    public var sequence: Int64

    public init(store: String, sequence: Int64) {
        self.store = store
        self.sequence = sequence
    }

    private static func file(in stateDirectory: [UInt8]) -> [UInt8] {
        stateDirectory + Array("/changelog.position".utf8)
    }

    /// The saved position; nil when there is none, or none that can be understood.
    ///
    /// - Throws: the errno of openat(2) or read(2), other than `ENOENT`.
    public static func load(from stateDirectory: [UInt8]) throws(Errno) -> ChangelogPosition? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try OwnedDescriptor.open(file(in: stateDirectory), flags: O_RDONLY | O_NOFOLLOW).readToEnd()
        } catch .noSuchFileOrDirectory {
            return nil
        }
        guard bytes.last == UInt8(ascii: "\n") else { return nil }
        let words = String(decoding: bytes.dropLast(), as: UTF8.self).split(
            separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, !words[0].isEmpty, let sequence = Int64(words[1]), sequence >= 0 else { return nil }
        return ChangelogPosition(store: String(words[0]), sequence: sequence)
    }

    /// The saved position, if lines of another store than this one were logged up to it.
    public static func ofAnotherStore(than store: String, in stateDirectory: [UInt8]) -> ChangelogPosition? {
        guard let saved = try? load(from: stateDirectory), saved.store != store, saved.sequence > 0 else { return nil }
        return saved
    }

    /// - Throws: the errno of the call that failed; the position saved before is then still there.
    public func save(in stateDirectory: [UInt8]) throws(Errno) {
        try replaceFile(Self.file(in: stateDirectory), with: Array("\(store) \(sequence)\n".utf8))
    }
}

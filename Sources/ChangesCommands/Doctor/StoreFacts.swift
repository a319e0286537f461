import ChangeStore
import LinuxKernel
import SystemPackage

/// The state directory and the store in it.
struct StoreFacts: Sendable {
    enum Contents: Sendable {
        case none
        case overview(StoreOverview)
        case failure(StoreError)
        /// This user may not look.
        case hidden
    }

    var directory: PlaceFacts
    /// The nearest directory above it that exists; of interest where it does not.
    var above: PlaceFacts
    var contents: Contents
    /// What a first walk would put into the index; nil when unknown.
    var count: DirectoryCount?
    /// `[store] max_size`, bytes.
    var maxSize: Int64

    private static let check = "store"
    /// Bytes of the index a file, measured with a million files.
    private static let indexBytes: Int64 = 87
    /// What SQLite needs to write anything at all.
    private static let least: Int64 = 4 << 20

    private var place: PlaceFacts { directory.kind == .directory ? directory : above }

    func findings(user: UserFacts) -> [Finding] {
        let found = [placeFinding(user), networkFinding, contentsFinding, spaceFinding].compactMap { $0 }
        if found.contains(where: { $0.state >= .warning }) { return found }
        return (summary.map { [.ok(Self.check, $0)] } ?? []) + found
    }
}

extension StoreFacts {
    private var summary: String? {
        switch contents {
        case .overview(let overview):
            let history = ByteSizeText.approximate(overview.historySize)
            let directories = overview.directories.counted("directory", "directories")
            return "\(directory.name): \(directories), \(history) of history (\(directory.summary))"
        case .none: return "\(directory.name): none yet, the first start makes it (\(place.summary))"
        case .failure, .hidden: return nil
        }
    }

    private func placeFinding(_ user: UserFacts) -> Finding? {
        switch directory.kind {
        case .directory: return directory.writeFinding(Self.check, purpose: "the store", user: user)
        case .missing: return above.writeFinding(Self.check, purpose: "the state directory", user: user)
        case .other:
            return .problem(
                Self.check, "\(directory.name), the state directory, is not a directory",
                remedy: "correct [store] directory")
        case .unknown(let code):
            return .note(
                Self.check, "\(directory.name) cannot be looked at by this user (\(code))",
                remedy: "to check as root: sudo changes doctor")
        }
    }

    private var networkFinding: Finding? {
        guard let type = place.mount?.fileSystemType, FileSystemKinds.isNetwork(type) else { return nil }
        return .problem(
            Self.check,
            "\(directory.name) is on a network or user-space file system (\(place.fileSystemType)): SQLite's "
                + "write-ahead log needs shared memory, and locks that hold",
            remedy: "name a directory on a local disk in [store] directory")
    }

    private var contentsFinding: Finding? {
        switch contents {
        case .none, .overview: return nil
        case .hidden:
            return directory.kind == .directory
                ? .note(
                    Self.check, "\(directory.name) cannot be read by this user",
                    remedy: "to check as root: sudo changes doctor") : nil
        case .failure(let error):
            switch error.reason {
            case .newerSchema(let found, let known):
                return .problem(
                    Self.check, "\(directory.name) has schema \(found), and this program knows up to \(known)",
                    remedy: "install the newer version again, or name another [store] directory")
            case .corrupt:
                return .problem(
                    Self.check, "\(directory.name) is damaged (\(error.message)): the tracker sets it aside",
                    remedy: "look for the cause (dmesg, smartctl), restart the tracker, and compare everything once")
            case .busy:
                return .note(Self.check, "\(directory.name) is busy", remedy: "changes doctor, in a moment")
            default:
                return .warning(
                    Self.check, "\(directory.name) cannot be read: \(error)",
                    remedy: "ls -l \(ShellWord.of(directory.path)); run this as root")
            }
        }
    }

    private var spaceFinding: Finding? {
        place.spaceFinding(Self.check, purpose: "the store", least: Self.least, enough: need)
    }

    /// Bytes that the store may still take: the history up to its limit, and the index where it is still to be made.
    private var need: Int64 {
        if case .overview(let overview) = contents { return max(maxSize - overview.historySize, Self.least) }
        let entries = Int64((count?.entries ?? 0) + (count?.directories ?? 0))
        return maxSize.addingReportingOverflow(entries * Self.indexBytes).partialValue
    }
}

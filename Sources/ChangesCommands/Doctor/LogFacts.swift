import LinuxKernel
import SystemPackage

/// The log and the directory that it is in.
struct LogFacts: Sendable {
    enum Kind: Equatable, Sendable {
        case missing
        case file
        case symlink
        /// Something else, which it cannot be.
        case other
        case unknown(Errno)
    }

    /// `[log] require_mount`.
    struct RequiredMount: Sendable {
        var path: [UInt8]
        /// nil where it cannot be found out, with the reason.
        var isMounted: Bool?
        var failure: Errno?
    }

    var path: [UInt8]
    var kind: Kind
    /// Why this process may not append to it.
    var refusal: Errno?
    var directory: PlaceFacts
    var requiredMount: RequiredMount?
    /// `path` without symlinks, as far as it exists.
    var resolved: [UInt8]

    private static let check = "log"
    private static let least: Int64 = 1 << 20
    private static let comfortable: Int64 = 100 << 20

    func findings(user: UserFacts, roots: RootFacts) -> [Finding] {
        let found =
            [required, placeFinding, kindFinding, writeFinding(user), spaceFinding, recommendation]
            .compactMap { $0 } + (inside(roots).map { [$0] } ?? [])
        if found.contains(where: { $0.state >= .warning }) { return found }
        return [.ok(Self.check, "\(TerminalText.of(path)) (\(directory.summary))")] + found
    }
}

extension LogFacts {
    /// The mount that must be there.
    private var required: Finding? {
        guard let requiredMount else { return nil }
        let name = TerminalText.of(requiredMount.path)
        switch requiredMount.isMounted {
        case true?: return nil
        case false?:
            return .problem(
                Self.check, "nothing is mounted on \(name), which require_mount demands: lines are owed until it is",
                remedy: "mount \(ShellWord.of(requiredMount.path)), and see that it is in /etc/fstab")
        case nil:
            return .warning(
                Self.check,
                "whether \(name) is mounted cannot be found out"
                    + (requiredMount.failure.map { " (\($0))" } ?? ""),
                remedy: "findmnt \(ShellWord.of(requiredMount.path))")
        }
    }

    private var placeFinding: Finding? {
        switch directory.kind {
        case .directory: return nil
        case .missing:
            return .problem(
                Self.check,
                "the log's directory, \(directory.name), does not exist, and the tracker does not create it",
                remedy: "mount its disk, or: mkdir -p \(ShellWord.of(directory.path)); or correct [log] path")
        case .other:
            return .problem(
                Self.check, "\(directory.name), the log's directory, is not a directory", remedy: "correct [log] path")
        case .unknown(let code):
            return .warning(
                Self.check, "\(directory.name), the log's directory, cannot be looked at (\(code))",
                remedy: "to check as root: sudo changes doctor")
        }
    }

    private var kindFinding: Finding? {
        let name = TerminalText.of(path)
        switch kind {
        case .symlink:
            return .problem(
                Self.check, "\(name) is a symlink, and the log is never written through one",
                remedy: "name the file itself in [log] path, or: rm \(ShellWord.of(path))")
        case .other:
            return .problem(
                Self.check, "\(name) is not a regular file", remedy: "correct [log] path, or: rm \(ShellWord.of(path))")
        case .missing, .file, .unknown: return nil
        }
    }

    private func writeFinding(_ user: UserFacts) -> Finding? {
        guard directory.kind == .directory else { return nil }
        guard kind == .file else { return directory.writeFinding(Self.check, purpose: "the log", user: user) }
        guard let refusal else { return nil }
        if refusal == .readOnlyFileSystem {
            return directory.writeFinding(Self.check, purpose: "the log", user: user)
        }
        let text = "\(TerminalText.of(path)) is not writable for this user (\(refusal))"
        return user.hasService && !user.isRoot
            ? .note(Self.check, text + "; the service runs as root", remedy: "to check as root: sudo changes doctor")
            : .problem(Self.check, text, remedy: "ls -l \(ShellWord.of(path)); chown it to who runs the tracker")
    }

    private var spaceFinding: Finding? {
        guard let space = directory.space else { return nil }
        return directory.spaceFinding(
            Self.check, purpose: "the log", least: Self.least, enough: max(space.total / 100, Self.comfortable))
    }

    /// A log on the root file system below a place for mounts is one whose disk is not mounted, or will not be one day.
    private var recommendation: Finding? {
        guard requiredMount == nil, directory.kind == .directory, directory.isOnRootFileSystem,
            let top = [Array("/mnt/".utf8), Array("/media/".utf8)].first(where: path.starts(with:))
        else { return nil }
        let name = path.dropFirst(top.count).prefix { $0 != UInt8(ascii: "/") }
        let mount = path.count == top.count + name.count ? Array(top[..<(top.count - 1)]) : top + name
        return .note(
            Self.check,
            "\(directory.name) is on the root file system: if it should be a mounted disk, nothing keeps the log from "
                + "filling / while that is not mounted",
            remedy: "set require_mount = \"\(TerminalText.of(mount))\" in [log]")
    }

    private func inside(_ roots: RootFacts) -> Finding? {
        guard let root = roots.roots.first(where: { resolved.starts(with: $0.path + [UInt8(ascii: "/")]) }) else {
            return nil
        }
        return .note(
            Self.check,
            "\(TerminalText.of(path)) is inside the root \(TerminalText.of(root.path)): it is not tracked itself, but "
                + "renamed it is a file like any other",
            remedy: "put the log elsewhere with [log] path")
    }
}

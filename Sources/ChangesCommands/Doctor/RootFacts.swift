import LinuxKernel
import SystemPackage
import TrackerDaemon
import Tracking

/// The directories that the patterns of `[watch] roots` stand for.
struct RootFacts: Sendable {
    struct Pattern: Sendable {
        var source: [UInt8]
        var matches: [[UInt8]]
        var notes: [RootSearch.Note] = []
    }

    struct Root: Sendable {
        var path: [UInt8]
        /// As in the mount table, `nfs4` or `fuse.sshfs`; nil where the table does not tell.
        var fileSystemType: [UInt8]?
        /// `FileSystemIdentity.isForeign`.
        var isForeign = false
        /// Why it cannot be listed.
        var failure: Errno?
        /// Directories directly in it that cannot be listed.
        var unreadable: [[UInt8]] = []
    }

    /// The configuration file, for remedies.
    var file: [UInt8]
    var patterns: [Pattern]
    var roots: [Root]
    /// Matches that are inside other matches.
    var nested: [RootSearch.Note] = []
    /// Of each symlink in the notes, where it leads to.
    var targets: [[UInt8]: [UInt8]] = [:]

    func findings(user: UserFacts) -> [Finding] {
        patterns.flatMap(findings(of:)) + nested.compactMap { finding(of: $0) }
            + roots.flatMap { findings(of: $0, user: user) }
    }
}

extension RootFacts {
    private func findings(of pattern: Pattern) -> [Finding] {
        let name = TerminalText.of(pattern.source)
        var findings: [Finding] = []
        if !pattern.matches.isEmpty {
            let shown = pattern.matches.prefix(3).map(TerminalText.of).joined(separator: " ")
            let text =
                pattern.matches == [pattern.source]
                ? name
                : "\(name): \(pattern.matches.count.counted("directory", "directories")), \(shown)"
                    + (pattern.matches.count > 3 ? " …" : "")
            findings.append(.ok("roots", text))
        }
        let told = pattern.notes.compactMap(finding(of:))
        // Why nothing matches is said once: a symlink in the way explains it.
        let isExplained = told.contains { $0.state >= .warning }
        if pattern.matches.isEmpty && !isExplained {
            findings.append(
                .warning(
                    "roots", "no directory matches \(name) now",
                    remedy: "make or mount it, and it is tracked at once; or correct [watch] roots in "
                        + TerminalText.of(file)))
        }
        return findings + told
    }

    private func finding(of note: RootSearch.Note) -> Finding? {
        let setting = "[watch] roots in \(TerminalText.of(file))"
        switch note {
        case .symlink(let path):
            let real = targets[path].map { ", which is \(ShellWord.of($0))" } ?? ""
            return .problem(
                "roots", "\(TerminalText.of(path)) is a symlink, which is never followed: it is not tracked",
                remedy: "name the directory itself\(real), in \(setting)")
        case .notDirectory(let path):
            return .warning(
                "roots", "\(TerminalText.of(path)) is not a directory: it cannot be a root",
                remedy: "correct \(setting)")
        case .unreadable(let path, let code):
            return .warning(
                "roots", "\(TerminalText.of(path)) cannot be read (\(Errno(rawValue: code))): roots in it stay unknown",
                remedy: "sudo changes doctor; if root cannot read it either, look at its mount and permissions")
        case .nested(let path, let outer):
            return .note(
                "roots", "\(TerminalText.of(path)) is tracked as a part of the root \(TerminalText.of(outer))",
                remedy: "nothing, or take one of the two out of \(setting)")
        case .unmatched: return nil
        }
    }
}

extension RootFacts {
    private func findings(of root: Root, user: UserFacts) -> [Finding] {
        let name = TerminalText.of(root.path)
        let type = root.fileSystemType.map(TerminalText.of) ?? "unknown"
        if root.isForeign || root.fileSystemType.map(FileSystemKinds.isForeign) == true {
            return [
                .problem(
                    "roots", "\(name) is on \(ForeignRoots.description) (\(type)): it is not tracked",
                    remedy: ForeignRoots.remedy)
            ]
        }
        var findings: [Finding] = []
        if root.fileSystemType.map(FileSystemKinds.isShared) == true {
            findings.append(
                .warning(
                    "roots",
                    "\(name) is on a file system that other hosts may share (\(type)): changes made by them are "
                        + "invisible to this host",
                    remedy: "run the tracker on the host through which all changes go"))
        }
        let refused = root.failure.map { _ in [root.path] } ?? root.unreadable
        if let first = refused.first {
            let more = refused.count == 1 ? "" : " and \(refused.count - 1) more"
            let text = "\(TerminalText.of(first))\(more) cannot be read: changes there are not seen"
            findings.append(
                user.readsEverything
                    ? .warning(
                        "roots", text,
                        remedy: "look at it: ls -la \(ShellWord.of(first)); \(root.failure.map { "\($0)" } ?? "dmesg")")
                    : .note(
                        "roots", text + " by a tracker of this user",
                        remedy: "run the tracker as root, as the service does; to check as root: sudo changes doctor"))
        }
        return findings
    }
}

/// File systems by their names in the mount table.
enum FileSystemKinds {
    /// Those of `FileSystemIdentity.isForeign`.
    static func isForeign(_ type: [UInt8]) -> Bool {
        let name = String(decoding: type, as: UTF8.self)
        return ["nfs", "nfs4", "cifs", "smb3", "smbfs", "autofs", "fuse", "fuseblk", "virtiofs"].contains(name)
            || name.hasPrefix("fuse.")
    }

    /// Those that several hosts can have mounted at a time, and that are tracked all the same: where all changes go
    /// through this host, as of an NFS server that exports CephFS, all of them are seen.
    static func isShared(_ type: [UInt8]) -> Bool {
        ["ceph", "9p", "afs", "lustre", "gpfs", "beegfs", "gfs2", "ocfs2", "glusterfs", "orangefs", "coda"]
            .contains(String(decoding: type, as: UTF8.self))
    }

    /// Those over a network or shared by hosts: no shared memory between processes for SQLite's write-ahead log.
    static func isNetwork(_ type: [UInt8]) -> Bool { isForeign(type) || isShared(type) }
}

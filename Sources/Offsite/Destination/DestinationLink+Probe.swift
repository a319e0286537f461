import LinuxKernel
import SystemPackage

/// Trying what transfers rely on, in the directory for temporary files.
extension DestinationLink {
    /// The first version of rsync with all that is used here (`--info`, and the number of deletions in `--stats`; its NEWS).
    static let oldestRsync = (3, 1, 0)
    /// The first one with `--fsync` (its NEWS).
    private static let firstWithSync = (3, 2, 4)

    /// Finds this host's programs. A version that is not understood keeps nothing from working.
    ///
    /// - Throws: `SyncFailure.missingProgram`, `.oldProgram`.
    func findPrograms() throws(SyncFailure) {
        do throws(Errno) { ownRsync = try TransferPrograms.rsync() } catch { throw .missingProgram("rsync", error) }
        if let version = ownRsync, version.isBefore(Self.oldestRsync) {
            throw .oldProgram("rsync", version.text, needed: "3.1.0")
        }
        guard isRemote else { return }
        let ssh: String
        do throws(Errno) { ssh = try TransferPrograms.ssh() } catch { throw .missingProgram("ssh", error) }
        // Another ssh knows none of the options that keep a connection to its purpose.
        guard ssh.isEmpty || ssh.hasPrefix("OpenSSH_") else {
            throw .oldProgram("ssh", OctalEscapes.display(Array(ssh.utf8)), needed: "OpenSSH")
        }
    }

    /// Tries the receiver: whether there are hard links (and, where owners are kept in them, extended attributes), whether
    /// files are synced, how it deletes, and what its file system cannot hold.
    ///
    /// - Throws: `SyncFailure`: `.unsuitable` for a file system on which no copy can be equal.
    func probe() throws(SyncFailure) -> ReceiverAbilities {
        var abilities = ReceiverAbilities(versions: versions)
        // Where commands run, `seal` syncs the disk.
        let maySync = !hasShell && !(ownRsync?.isBefore(Self.firstWithSync) ?? true)
        if maySync { abilities.syncsFiles = try takesSync() }
        if !abilities.syncsFiles { try check(suitability: try tryFiles([])) }
        (abilities.limits, abilities.compression) = try tryLimits()
        abilities.deletesByList = try tryDeletion()
        if !hasShell, !abilities.syncsFiles { abilities.isUnsynced = true }
        return abilities
    }

    private func takesSync() throws(SyncFailure) -> Bool {
        let outcome = try tryFiles(["--fsync"])
        switch outcome.verdict {
        case .done: return true
        // An option that it does not know; or what `check(suitability:)` finds again without it.
        case .partial, .stop, .refusesMissingArguments: return false
        // Which says nothing about it.
        default:
            try check(outcome, "trying the destination")
            return false
        }
    }

    /// Which rsyncs these are, as far as they say so.
    var versions: [UInt8] { Array("\(ownRsync?.text ?? "unknown") to ".utf8) + receiverVersion }

    private static let probeName = "probe"

    /// Sends two names of a file.
    private func tryFiles(_ options: [String]) throws(SyncFailure) -> Outcome {
        let place = scratch + Array("/probe".utf8)
        let directory = place + Array("/\(Self.probeName)".utf8)
        defer { try? FileSystemLook.removeTree(place) }
        do throws(Errno) {
            try FileSystemLook.removeTree(place)
            try FileSystemLook.makeDirectory(place)
            try FileSystemLook.makeDirectory(directory)
            // With --fake-super a mode that only extended attributes keep.
            try replaceFile(directory + Array("/one".utf8), with: Array("probe\n".utf8), permissions: 0o400)
            try addAttributes(to: directory + Array("/one".utf8))
            try FileSystemLook.link(directory + Array("/one".utf8), to: directory + Array("/two".utf8))
        } catch {
            throw .system("making \(OctalEscapes.display(place))", error)
        }
        return try run(
            ["-aH"] + attributeOptions + options, list: ["", "/one", "/two"].map { Array((Self.probeName + $0).utf8) },
            from: place, to: targetText + "/\(DestinationMarker.directory)/tmp", isGuarded: true)
    }

    /// Gives a file what the configuration has carried beside content. A scratch directory that keeps none of it lets nothing
    /// be tried.
    private func addAttributes(to path: [UInt8]) throws(Errno) {
        do throws(Errno) {
            if settings.xattrs { try FileAttributes.set("user.nfs-changes", of: path, to: Array("probe".utf8)) }
            if settings.acls { try FileAttributes.set("system.posix_acl_access", of: path, to: Self.accessList) }
        } catch {
            guard error == .notSupported else { throw error }
        }
    }

    /// `u::r--,u:0:r--,g::---,m::r--,o::---` as the kernel has it (linux/posix_acl_xattr.h): a version, and of each entry its
    /// tag, permissions and number.
    private static let accessList: [UInt8] = {
        let entries: [(tag: UInt16, permissions: UInt16, id: UInt32)] = [
            (0x01, 4, .max), (0x02, 4, 0), (0x04, 0, .max), (0x10, 4, .max), (0x20, 0, .max),
        ]
        func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
            withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) }
        }
        return entries.reduce(bytes(UInt32(2))) { $0 + bytes($1.tag) + bytes($1.permissions) + bytes($1.id) }
    }()

    private func check(suitability outcome: Outcome) throws(SyncFailure) {
        let text = String(decoding: outcome.errors, as: UTF8.self)
        let isPartial = outcome.verdict == .partial
        if settings.acls, isPartial && text.contains("sys_acl_set_file") || text.contains("ACLs are not supported") {
            throw .unsuitable(target: targetText, "keeps no ACLs (acls = true)", text: display(text))
        }
        if settings.xattrs, isPartial && text.contains("lsetxattr") || text.contains("xattrs are not supported") {
            throw .unsuitable(target: targetText, "keeps no extended attributes (xattrs = true)", text: display(text))
        }
        if isPartial, settings.ownership == .fakeSuper, text.contains("xattr") {
            throw .unsuitable(
                target: targetText, "keeps no extended attributes, which ownership = \"fake-super\" needs",
                text: display(text))
        }
        let isRefused = ["Operation not permitted", "not supported", "not implemented"].contains { text.contains($0) }
        if isPartial, isRefused, text.contains("link \"") || text.contains("hard link") {
            throw .unsuitable(target: targetText, "has no hard links", text: display(text))
        }
        try check(outcome, "trying the destination")
    }

    private func display(_ text: String) -> String { Self.display(Array(text.utf8)) }

    /// - Returns: whether it is by list that what was sent could be deleted.
    private func tryDeletion() throws(SyncFailure) -> Bool {
        let path = Array("\(DestinationMarker.directory)/tmp/\(Self.probeName)".utf8)
        for byList in [true, false] {
            deletesByList = byList
            let outcome = try delete([path], atMost: 1_000)
            if byList, [.partial, .stop].contains(outcome.verdict) { continue }
            try check(outcome, "trying a deletion")
            // Older ones delete nothing by list and say nothing, or do not say how much.
            if outcome.statistics.deleted > 0 { return deletesByList }
        }
        throw .oldProgram(
            "the destination's rsync", OctalEscapes.display(receiverVersion),
            needed: "3.1.0")
    }
}

import Glibc
import Testing

/// Copies that are somewhere else.
extension SyncSite {
    /// Over ssh, to a directory of the receiver's.
    ///
    /// - Parameters:
    ///   - isRestricted: the key runs rrsync in the server's `target` and nothing else; the copy is in `copy` there, which
    ///     the configuration then names from there.
    ///   - trustsHost: the configuration has the file with the server's key; otherwise `init` is told its fingerprint.
    convenience init(
        over server: SSHServer, isRestricted: Bool = false, trustsHost: Bool = true, roots: [String] = ["a-backup"],
        more: String = "", maxDelete: String = "100%", settle: String = "0s"
    ) throws {
        let copy = server.target / "copy"
        if !Disk.exists(copy) { try server.receiver.makeDirectory(copy) }
        if isRestricted { try server.allow(keyOptions: SSHServer.restricted(to: server.target)) }
        let known = trustsHost ? #", known_hosts = "\#(server.knownHosts)""# : ""
        let place = isRestricted ? "/copy" : copy.string
        try self.init(
            roots: roots, target: "\(server.user)@\(server.address):\(place)", copy: copy,
            more: "ssh = { port = \(server.port), identity = \"\(server.identity)\"\(known) }\n" + more,
            maxDelete: maxDelete, settle: settle)
        // rrsync makes no pipes and sockets.
        if isRestricted { comparing = CopyComparison.droppedOwnership }
    }

    /// In the module of an rsync daemon.
    convenience init(
        over daemon: RsyncDaemon, roots: [String] = ["a-backup"], more: String = "", maxDelete: String = "100%",
        settle: String = "0s"
    ) throws {
        let copy = daemon.target / "copy"
        try Disk.makeDirectory(copy)
        let status = try Disk.status(daemon.target)
        if Privilege.isRoot { try Disk.changeOwner(copy, status.st_uid, status.st_gid) }
        try self.init(
            roots: roots, target: daemon.url("copy"), copy: copy, more: more, maxDelete: maxDelete, settle: settle)
    }
}

extension Completed {
    /// Bytes that the batches of a `changes sync` sent, added up from its summary lines, to two or three digits.
    var bytesSent: Int? {
        var sum: Double?
        for line in errors.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "," }
            guard let place = words.firstIndex(of: "sent"), place >= 2, let number = Double(words[place - 2]) else {
                continue
            }
            let unit: Double? =
                switch words[place - 1].first {
                case "B", "b": 1
                case "K", "k": 1_024
                case "M": 1_048_576
                case "G": 1_073_741_824
                default: nil
                }
            if let unit { sum = (sum ?? 0) + number * unit }
        }
        return sum.map { Int($0) }
    }
}

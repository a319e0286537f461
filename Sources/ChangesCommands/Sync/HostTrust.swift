import ArgumentParser
import LinuxKernel
import Offsite
import SystemPackage

/// What a command says of the keys of ssh hosts.
struct HostKeyOptions: ParsableArguments {
    @Option(
        name: .customLong("host-key"),
        help: ArgumentHelp(
            "Trust the host if its key has this fingerprint, as ssh-keygen -l prints it; once more for a jump host.",
            valueName: "fingerprint"))
    var fingerprints: [String] = []

    @Flag(
        name: .customLong("replace-host-key"),
        help: "Trust the key that the host shows now in place of the old one, once it is confirmed like a new one.")
    var replaces = false
}

/// Makes sure that the keys of a destination's hosts are trusted: shows them, and notes them once somebody says that they
/// are the right ones.
struct HostTrust {
    private let destination: DestinationSettings
    private let stateDirectory: [UInt8]
    private let options: HostKeyOptions

    init(_ destination: DestinationSettings, stateDirectory: [UInt8], options: HostKeyOptions) {
        self.destination = destination
        self.stateDirectory = stateDirectory
        self.options = options
    }

    /// - Throws: `CommandFailure`, with the fingerprints and the command to type.
    func establish() throws {
        let keys = HostKeys(destination, stateDirectory: stateDirectory)
        do throws(SyncFailure) {
            for host in destination.sshHosts {
                if !options.replaces, try keys.isKnown(host) { continue }
                let offered = try keys.offered(by: host)
                guard try trust(offered, of: host, keys) else {
                    throw SyncFailure.hostKey(
                        "\(shown(offered, of: host))\nnone of them is trusted yet; \(advice(offered[0]))")
                }
            }
        } catch {
            throw CommandFailure(error, destination.name)
        }
    }

    /// The same for a run that only reads. Where nobody can be asked, the keys that are shown are taken for this run alone,
    /// and it is said which: nothing of this host goes there, and on a bare host there is no other way to begin.
    ///
    /// - Returns: the known_hosts file of this run; nil: the destination's own.
    /// - Throws: `CommandFailure`.
    func establishForReading() throws -> PassingKnownHosts? {
        var keys = HostKeys(destination, stateDirectory: stateDirectory)
        var passing: PassingKnownHosts?
        do throws(SyncFailure) {
            for host in destination.sshHosts {
                if !options.replaces, try keys.isKnown(host) { continue }
                let offered = try keys.offered(by: host)
                if try trust(offered, of: host, keys) { continue }
                if passing == nil {
                    let own = try PassingKnownHosts()
                    keys = try HostKeys(keys, copiedTo: own.file)
                    passing = own
                }
                try keys.trust(offered)
                let file = TerminalText.of(HostKeys(destination, stateDirectory: stateDirectory).file)
                Output.complain(
                    "changes: \(shown(offered, of: host))\nchanges: none is in \(file): they are taken for this run only; "
                        + advice(offered[0]))
            }
        } catch {
            throw CommandFailure(error, destination.name)
        }
        return passing
    }

    /// - Returns: false when there is nobody to ask, and no fingerprint was given.
    private func trust(_ offered: [HostKeys.Key], of host: SSHHop, _ keys: HostKeys) throws(SyncFailure) -> Bool {
        let old = options.replaces ? host : nil
        if !options.fingerprints.isEmpty {
            if let match = offered.first(where: { options.fingerprints.contains($0.fingerprint) }) {
                try keys.trust([match], replacingThoseOf: old)
                return true
            }
            // It may be meant for the other host.
            if options.replaces, destination.sshHosts.count > 1, try keys.isKnown(host) { return true }
            let given = options.fingerprints.joined(separator: ", ")
            throw SyncFailure.hostKey(
                "\(shown(offered, of: host))\nnone of them has the fingerprint \(given); \(advice(offered[0]))")
        }
        if options.replaces, !Terminal.isTerminal(0) {
            throw SyncFailure.hostKey("\(shown(offered, of: host))\n\(advice(offered[0]))")
        }
        guard Terminal.isTerminal(0) else { return false }
        Output.complain("\(shown(offered, of: host))\nAre these the keys that the host itself has? (yes/no)")
        guard readLine() == "yes" else { throw SyncFailure.hostKey("the keys were not accepted") }
        try keys.trust(offered, replacingThoseOf: old)
        return true
    }

    private func shown(_ keys: [HostKeys.Key], of host: SSHHop) -> String {
        "\(host.host) shows these keys:\n" + keys.map { "  \($0.type) \($0.fingerprint)" }.joined(separator: "\n")
    }

    /// What to compare, and the command that was typed, with the fingerprint.
    private func advice(_ key: HostKeys.Key) -> String {
        let given = options.fingerprints.map { Array($0.utf8) }
        let option = ["--host-key", key.fingerprint].map { Array($0.utf8) }
        var words = Array(ProcessContext.arguments.dropFirst())
        // One that was wrong is not typed again.
        if destination.sshHosts.count == 1, let place = words.firstIndex(where: given.contains) {
            words.removeSubrange(max(0, place - 1)...place)
        }
        words.insert(contentsOf: option, at: words.firstIndex(of: Array("--".utf8)) ?? words.endIndex)
        let command = (["changes"] + words.map(ShellWord.of)).joined(separator: " ")
        return "compare one with what the host itself says (there: ssh-keygen -lf /etc/ssh/ssh_host_"
            + "\(key.type.lowercased())_key.pub), then note it as trusted:\n  \(command)"
    }
}

/// A known_hosts file for one run, gone with the object.
final class PassingKnownHosts {
    private let directory: [UInt8]
    var file: [UInt8] { directory + Array("/known_hosts".utf8) }

    init() throws(SyncFailure) {
        do throws(Errno) {
            directory = try FileSystemLook.makeTemporaryDirectory(prefix: Array("nfs-changes-keys".utf8))
        } catch {
            throw .system("making a temporary directory", error)
        }
    }

    deinit { try? FileSystemLook.removeTree(directory) }
}

import Glibc
import LinuxKernel
import Offsite
import SystemPackage

/// Looks at what the copies at other places need.
struct OffsiteExamination {
    var configuration: Configuration
    var mounts: MountTable
    var user: UserFacts

    /// - Returns: nil where no destination is configured.
    func facts() -> OffsiteFacts? {
        guard !configuration.destinations.isEmpty else { return nil }
        var facts = OffsiteFacts(rsync: Self.rsync)
        let isSSHNeeded = configuration.destinations.contains {
            if case .ssh = $0.target { true } else { false }
        }
        if isSSHNeeded { facts.ssh = Self.ssh }
        let canAsk = facts.rsync != .missing && facts.ssh != .missing
        facts.destinations = configuration.destinations.map { look($0, canAsk: canAsk) }
        facts.metrics = configuration.metrics.textfileDirectory.map { PlaceFacts($0, mounts) }
        return facts
    }

    private static var rsync: OffsiteFacts.Program<RsyncVersion> {
        do throws(Errno) {
            return try TransferPrograms.rsync().map { .version($0) } ?? .strange
        } catch {
            return error == .noSuchFileOrDirectory ? .missing : .strange
        }
    }

    private static var ssh: OffsiteFacts.Program<String> {
        do throws(Errno) {
            let text = try TransferPrograms.ssh()
            return text.isEmpty ? .strange : .version(text)
        } catch {
            return error == .noSuchFileOrDirectory ? .missing : .strange
        }
    }

    private func look(_ destination: DestinationSettings, canAsk: Bool) -> DestinationFacts {
        let state = configuration.store.directory
        var facts = DestinationFacts(settings: destination, machine: MachineIdentity.own)
        switch destination.target {
        case .local(let path):
            let place = PlaceFacts(Array(path.utf8), mounts)
            facts.place = place
            facts.danger = LocalTarget(destination.target)?.danger
            facts.hasMarker = FileSystemLook.exists(
                Array("\(path)/\(DestinationMarker.directory)/\(DestinationMarker.name)".utf8))
            if case .properties(let properties) = SystemctlShow.source(facts.unit),
                UnitProperties(properties)["LoadState"] == "loaded"
            {
                facts.sandbox = UnitSandbox(UnitProperties(properties))
            }
            return facts
        case .ssh:
            facts.identity = destination.ssh.identity.map(Self.identity)
            let keys = HostKeys(destination, stateDirectory: state)
            facts.isHostKnown = try? destination.sshHosts.allSatisfy { try keys.isKnown($0) }
        case .daemon: break
        }
        // Another user has no keys, and no business there.
        if canAsk, user.isRoot || !user.hasService, facts.isWorthAsking {
            facts.answer = DestinationProbe.ask(
                destination, stateDirectory: state, seconds: DestinationFacts.patience)
        }
        return facts
    }

    private static func identity(_ path: [UInt8]) -> DestinationFacts.Identity {
        do throws(Errno) {
            let opened = try OwnedDescriptor.open(path, flags: O_PATH)
            let mode = try FileStatus.of(descriptor: opened.number).mode & 0o7777
            // ssh-keygen looks at no key that others can read.
            return mode & 0o077 == 0 && PrivateKeyFile.needsPassphrase(path) ? .encrypted : .file(mode: mode)
        } catch {
            return error == .noSuchFileOrDirectory ? .missing : .unknown(error)
        }
    }
}

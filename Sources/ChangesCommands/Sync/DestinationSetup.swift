import ChangeStore
import LinuxKernel
import Offsite
import SystemPackage

/// Makes a destination ready: `changes sync init`.
struct DestinationSetup {
    let configuration: Configuration
    let destination: DestinationSettings

    func run(adopt: Bool, hostKey: String?) throws {
        let state = configuration.store.directory
        let lock = try lockConsumer(destination.name, in: state)
        let consumer = try openConsumer(destination.name, in: state)
        try trustHost(hostKey)
        let found: DestinationInspection
        do {
            found = try DestinationInspection(destination, stateDirectory: state, machine: MachineIdentity.own)
            try found.initialize(consumer: consumer, adopt: adopt)
        } catch let failure as SyncFailure {
            throw CommandFailure(failure)
        } catch let error as StoreError {
            throw failure(of: error, in: state)
        }
        withExtendedLifetime(lock) {}
        var text =
            "\(destination.name): \(destination.target.text) is ready; `changes sync \(destination.name)` fills it\n"
        for fact in found.facts { text += "  \(fact)\n" }
        text +=
            "  It becomes a mirror: what is deleted here is deleted there. Keep immutable snapshots there; each rewritten "
            + "file takes its whole size in them.\n"
        try Output.write(text)
    }

    /// Shows the host's key, and notes it once somebody says that it is the right one.
    private func trustHost(_ expected: String?) throws {
        guard case .ssh(_, let host, _) = destination.target else { return }
        do throws(SyncFailure) {
            let keys = try HostKeys(destination, stateDirectory: configuration.store.directory)
            if try keys.isKnown(host) { return }
            let offered = try keys.offered(by: host)
            let lines = offered.map { "  \($0.type) \($0.fingerprint)" }.joined(separator: "\n")
            let shown = "\(host) shows these keys:\n\(lines)"
            if let expected {
                guard let match = offered.first(where: { $0.fingerprint == expected }) else {
                    throw SyncFailure.hostKey("\(shown)\nnone of them has the fingerprint \(expected)")
                }
                return try keys.trust([match])
            }
            guard Terminal.isTerminal(0) else {
                throw SyncFailure.hostKey(
                    "\(shown)\ncompare one with what the host itself says (ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub "
                        + "there), then run this again with --host-key FINGERPRINT")
            }
            Output.complain("\(shown)\nAre these the keys that the host itself has? (yes/no)")
            guard readLine() == "yes" else { throw SyncFailure.hostKey("the keys were not accepted") }
            try keys.trust(offered)
        } catch {
            throw CommandFailure(error)
        }
    }
}

extension CommandFailure {
    /// What a person is told of a copy that could not be made.
    init(_ failure: SyncFailure) {
        let status: ExitStatus =
            switch failure {
            case .interrupted: ExitStatus(rawValue: 128 + 15)
            case .hostKey, .targetInSource, .foreignMarker, .notEmpty: .configuration
            case .noMarker, .missingProgram: .unavailable
            default: failure.isPassing ? .temporary : .failure
            }
        self.init(status, failure.description)
    }
}

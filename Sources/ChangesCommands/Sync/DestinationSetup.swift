import ChangeStore
import LinuxKernel
import Offsite
import SystemPackage

/// Makes a destination ready: `changes sync init`.
struct DestinationSetup {
    let configuration: Configuration
    let destination: DestinationSettings

    func run(adopt: Bool, hostKeys: HostKeyOptions) throws {
        let state = configuration.store.directory
        // On a new host there may be none yet; where it cannot be made, the lock says so.
        _ = try? FileSystemLook.makeDirectories(state, mode: 0o750)
        // Before the lock: a worker that is trying again and again holds that.
        try HostTrust(destination, stateDirectory: state, options: hostKeys).establish()
        let lock = try lockConsumer(destination.name, in: state)
        let consumer = try openConsumer(destination.name, in: state)
        let found: DestinationInspection
        do {
            found = try DestinationInspection(destination, stateDirectory: state, machine: MachineIdentity.own)
            try found.initialize(consumer: consumer, adopt: adopt)
            // What failed before it was made ready says nothing any more.
            try consumer.forgetFailure()
        } catch let failure as SyncFailure {
            throw CommandFailure(failure, destination.name)
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
}

extension CommandFailure {
    /// What a person is told of a copy that could not be made.
    ///
    /// - Parameter name: the destination's.
    init(_ failure: SyncFailure, _ name: String) {
        let status: ExitStatus =
            switch failure {
            case .interrupted: ExitStatus(rawValue: 128 + 15)
            case .hostKey, .targetInSource, .foreignMarker, .notEmpty, .unsafeTarget: .configuration
            case .noMarker, .missingProgram: .unavailable
            default: failure.isPassing ? .temporary : .failure
            }
        self.init(status, failure.text(for: name))
    }
}

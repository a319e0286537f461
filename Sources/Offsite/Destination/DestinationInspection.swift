public import ChangeStore
import LinuxKernel

/// Looks at a destination before its first use: `changes sync init`.
public final class DestinationInspection {
    private let link: DestinationLink
    private let destination: DestinationSettings
    private let stateDirectory: [UInt8]
    private let machine: String
    /// For people: what was found, a line each.
    public private(set) var facts: [String] = []

    /// - Throws: `SyncFailure`.
    public init(
        _ destination: DestinationSettings, stateDirectory: [UInt8], machine: String
    ) throws(SyncFailure) {
        self.destination = destination
        self.stateDirectory = stateDirectory
        self.machine = machine
        link = try DestinationLink(
            destination, stateDirectory: stateDirectory, process: ProgramRun(stop: NoStopSignal()))
    }

    /// Finds out what the other side can do, and puts the marker there.
    ///
    /// - Parameter adopt: whether files that are there, or another host's marker, are no reason to refuse.
    /// - Throws: `SyncFailure`, `StoreError`.
    public func initialize(consumer: Consumer, adopt: Bool) throws {
        // There may be no store yet.
        try destination.checkTarget(against: (try? StoreReader(stateDirectory: stateDirectory).roots) ?? [])
        try link.findPrograms()
        let hasShell = try findShell()
        if hasShell, link.isRemote, let path = link.targetPath, try link.shell("test -d \(path)").status == 1 {
            throw SyncFailure.noTarget(destination.target.text, "there is no such directory")
        }
        try consumer.setNote("shell", [hasShell ? 1 : 0])
        // The receiver is not asked for the marker: there is none yet.
        link.hasShell = false
        let found: DestinationMarker?
        do throws(SyncFailure) { found = try link.readMarker() } catch {
            guard adopt, case .foreignMarker = error else { throw error }
            found = nil
        }
        link.contact.marker = found
        if let found, !adopt {
            guard found.machine == machine, found.destination == destination.name else {
                throw SyncFailure.foreignMarker(
                    target: destination.target.text,
                    "is that of \"\(found.destination.prefix(100))\" of another host or configuration")
            }
            let own = try? StoreReader(stateDirectory: stateDirectory).uuid
            guard found.store.isEmpty || own == nil || found.store == own else {
                throw SyncFailure.foreignMarker(
                    target: destination.target.text, "says that this copy was made from another store")
            }
            facts.append("it has the marker of this host already, which was left as it is")
        } else {
            if !adopt { try refuseFiles() }
            try link.write(DestinationMarker(destination: destination.name, machine: machine), isNew: true)
        }
        link.hasShell = hasShell
        let abilities = try link.probe()
        try abilities.note(in: consumer)
        facts += abilities.facts
    }

    private func refuseFiles() throws {
        var count = 0
        do throws(SyncFailure) { try link.list { _, _ in count += 1 } } catch {
            guard case .rsync(.partial, _, _, _) = error else { throw error }
            throw SyncFailure.noTarget(destination.target.text, error.description)
        }
        if count > 0 { throw SyncFailure.notEmpty(target: destination.target.text, count) }
    }

    /// Whether the other side runs commands for us; rrsync and rsync daemons run none.
    private func findShell() throws -> Bool {
        guard case .ssh = destination.target else {
            if case .local = destination.target { return true }
            facts.append("an rsync daemon: it cannot say how much room there is, nor sync its disk")
            return false
        }
        let word = "nfs-changes-shell"
        let result = try link.shell(
            "echo \(word); \(ReceiverGuard.probe(printing: "flock")); rsync --version 2>&1 | head -n 1")
        let output = result.output.prefix(4_096).split(separator: UInt8(ascii: "\n"))
        let lines = output.map { String(decoding: $0, as: UTF8.self) }
        if lines.first == word {
            guard lines.contains("flock") else {
                facts.append("there is no flock(1): nothing keeps an old receiver and a new one apart")
                return false
            }
            link.receiverVersion = Array(output.last?.prefix(200) ?? [])
            facts.append("receiver: \(OctalEscapes.display(link.receiverVersion))")
            return true
        }
        if result.status == 255, LoginDiagnosis(result.errors) != nil {
            let verdict = RsyncVerdict(status: result.status, errors: result.errors)
            try link.check(
                DestinationLink.Outcome(verdict: verdict, status: result.status, errors: result.errors), "logging in")
        }
        // A host that shuts its shell to this login (DSM does, to those who are no administrators) may say so with any
        // status, and run rsync all the same: reading the marker shows that.
        facts.append(
            "the login runs rsync only (rrsync, or an account without a shell): it cannot say how much room there is, nor "
                + "sync its disk")
        return false
    }
}

import ChangeStore
import LinuxKernel
import Offsite
import SystemPackage

/// `changes verify DESTINATION`.
struct CopyExamination {
    let configuration: Configuration
    let destination: DestinationSettings

    /// - Throws: `CommandFailure`: `failure` when something differs that was not repaired.
    func run(_ contents: CopyVerification.Contents, repairs: Bool) throws {
        let state = configuration.store.directory
        let stop: SignalStop
        do throws(Errno) { stop = SignalStop(try Interruptions()) } catch {
            throw CommandFailure(.inputOutput, "signalfd: \(error)")
        }
        let voice = SyncVoice(destination.name, isOnTerminal: false, command: "verify")
        let lock = repairs ? try lockConsumer(destination.name, in: state) : nil
        let consumer = try openConsumer(destination.name, in: state)
        let worker = try SyncWorker(
            configuration, destination, consumer: consumer, stop: stop, voice: voice, notifier: nil)
        let drifts: [Drift]
        do {
            let verification = try CopyVerification(destination, context: worker.context)
            drifts = try verification.run(contents)
            try Self.noteDrift(drifts.count, in: consumer)
            try print(drifts + verification.unrepresentable.map { Drift(path: $0, kind: .unrepresentable) })
            if drifts.isEmpty { return voice.say("no difference" + Self.remark(verification.unrepresentable.count)) }
            if repairs { try verification.makePending(drifts) }
        } catch let failure as SyncFailure {
            throw CommandFailure(failure)
        } catch let error as StoreError {
            throw failure(of: error, in: state)
        }
        guard repairs else {
            throw CommandFailure(
                .failure, "\(drifts.count) differences; --repair brings them up to date")
        }
        _ = try worker.run(SyncOptions())
        // What was found is carried; the next verification says what it missed.
        try? Self.noteDrift(0, in: consumer)
        withExtendedLifetime(lock) {}
    }

    private static func remark(_ unrepresentable: Int) -> String {
        if unrepresentable == 0 { return "" }
        let times = unrepresentable == 1 ? "1 time that" : "\(unrepresentable) times that"
        return " but \(times) the destination cannot keep"
    }

    /// The note with the number of differences that were found last.
    static let driftNote = "drift"

    /// - Returns: nil when nothing was compared yet.
    static func drift(in consumer: Consumer) throws(StoreError) -> Int? {
        try consumer.note(driftNote).flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    }

    static func noteDrift(_ count: Int, in consumer: Consumer) throws(StoreError) {
        try consumer.setNote(driftNote, Array("\(count)".utf8))
    }

    private func print(_ drifts: [Drift]) throws {
        var output = Output()
        for drift in drifts {
            try output.append("\(Self.padded(drift.kind.rawValue))  \(TerminalText.of(drift.path))\n")
        }
        try output.flush()
    }

    private static func padded(_ word: String) -> String {
        word + String(repeating: " ", count: max(0, 8 - word.utf8.count))
    }
}

import ChangeStore
import LinuxKernel
import Logging
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
        var uncompared: [Uncompared]
        do {
            let verification = try worker.verification()
            let found = try verification.run(contents)
            drifts = found.drifts
            uncompared = try worker.proof.places(in: worker.reader()).map {
                Uncompared(place: $0.path, reason: $0.reason)
            }
            uncompared += found.uncompared
            try Self.noteDrift(drifts.count, in: consumer)
            try print(drifts + verification.unrepresentable.map { Drift(path: $0, kind: .unrepresentable) })
            for place in uncompared {
                voice.say("not compared: \(TerminalText.of(place.place)) \(place.reason)", .warning)
            }
            if let silence = worker.proof.silence {
                voice.say("what is pending may show as a difference: \(silence)", .warning)
            }
            let leftOut = try Self.leftOut(consumer)
            if let leftOut { voice.say("left out: \(leftOut)", .warning) }
            if drifts.isEmpty {
                voice.say(
                    (uncompared.isEmpty && leftOut == nil ? "no difference" : "no difference in what was compared")
                        + Self.remark(verification.unrepresentable.count))
                return try Self.check(uncompared, leftOut)
            }
            if repairs { try verification.makePending(drifts) }
        } catch let failure as SyncFailure {
            throw CommandFailure(failure, destination.name)
        } catch let error as StoreError {
            throw failure(of: error, in: state)
        }
        guard repairs else {
            throw CommandFailure(
                .failure,
                "\(drifts.count == 1 ? "1 difference" : "\(drifts.count) differences"); `changes verify "
                    + "\(destination.name) --repair` ends \(drifts.count == 1 ? "it" : "them")")
        }
        worker.figures.begin()
        defer { worker.figures.end() }
        _ = try worker.run(SyncOptions())
        // What was found is copied; the next verification says what it missed.
        try? Self.noteDrift(0, in: consumer)
        withExtendedLifetime(lock) {}
        try Self.check(uncompared, Self.leftOut(consumer))
    }

    /// What differs and is known to: guards hold it, or it fails by itself; nil for nothing.
    private static func leftOut(_ consumer: Consumer) throws(StoreError) -> String? {
        var report = SyncReport()
        report.quarantined = try consumer.workCount(.quarantined).count
        report.heldDeletions = try consumer.workCount(.heldDeletion).count
        report.heldOverwrites = try consumer.workCount(.heldOverwrite).count
        return report.isComplete ? nil : report.shortfall
    }

    /// - Throws: when something was left out: it differs, or nobody knows whether it does.
    private static func check(_ uncompared: [Uncompared], _ leftOut: String?) throws {
        let count = uncompared.count
        let places = count == 0 ? nil : "\(count) \(count == 1 ? "place was" : "places were") not compared"
        let reasons = [places, leftOut].compactMap(\.self)
        guard reasons.isEmpty else { throw CommandFailure(.failure, reasons.joined(separator: "; ")) }
    }

    private static func remark(_ unrepresentable: Int) -> String {
        if unrepresentable == 0 { return "" }
        let times = unrepresentable == 1 ? "1 time that" : "\(unrepresentable) times that"
        return " but \(times) the destination cannot keep"
    }

    /// The note with the number of differences that were found last.
    static let driftNote = "drift"

    /// - Returns: nil when nothing was compared yet.
    static func drift(in record: ConsumerRecord) -> Int64? {
        record.notes[driftNote].flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
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

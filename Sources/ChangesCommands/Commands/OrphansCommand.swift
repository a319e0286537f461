import ArgumentParser
import ChangeStore
import LinuxKernel
import Offsite
import SystemPackage

/// `changes sync orphans`.
struct OrphansCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orphans",
        abstract: "Lists what a destination has and the configuration no longer copies.",
        discussion: """
            Paths that were excluded later, or whose root was taken out of the configuration, stay at the destination. \
            Each full scan counts them; --remove deletes them there. What is copied is never touched.
            """)

    @Argument(help: ArgumentHelp("The destination.", valueName: "destination"))
    var name: String

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Delete them at the destination, after a question.")
    var remove = false

    @Flag(help: "Ask nothing.")
    var yes = false

    @OptionGroup var place: ConfigurationOptions

    func validate() throws {
        guard !yes || remove else { throw ValidationError("--yes is for --remove") }
        guard !(json && remove) else { throw ValidationError("--json and --remove exclude each other") }
    }

    func run() throws {
        let configuration = try place.configuration()
        let destination = try configuration.destination(named: name)
        let state = configuration.store.directory
        let stop: SignalStop
        do throws(Errno) { stop = SignalStop(try Interruptions()) } catch {
            throw CommandFailure(.inputOutput, "signalfd: \(error)")
        }
        let voice = SyncVoice(destination.name, isOnTerminal: false, command: "sync")
        let lock = remove ? try lockConsumer(destination.name, in: state) : nil
        let consumer = try openConsumer(destination.name, in: state)
        let worker = try SyncWorker(
            configuration, destination, consumer: consumer, stop: stop, voice: voice, notifier: nil)
        do {
            guard try OrphanList.count(in: consumer) != nil else {
                return voice.say(
                    "orphans are counted by full scans, and none has finished yet: `changes sync \(name) --full`")
            }
            let removal = try OrphanRemoval(destination, context: worker.context)
            let orphans = try removal.orphans()
            if !remove { return try write(orphans, voice) }
            if orphans.tops.isEmpty { return voice.say("no orphans") }
            try confirm(orphans)
            voice.say("\(try removal.remove(orphans)) deleted")
        } catch let failure as SyncFailure {
            throw CommandFailure(failure, name)
        } catch let error as StoreError {
            throw failure(of: error, in: state)
        }
        withExtendedLifetime(lock) {}
    }

    private func confirm(_ orphans: OrphanList) throws {
        if yes { return }
        let question = "\(counted(orphans.count, "path is", plural: "paths are")) about to be deleted at \(name)"
        guard Terminal.isTerminal(0) else {
            throw CommandFailure(.usage, "\(question): list them without --remove, then add --yes")
        }
        Output.complain("\(question). Is that right? (yes/no)")
        guard readLine() == "yes" else { throw CommandFailure(.failure, "nothing was deleted") }
    }

    private func write(_ orphans: OrphanList, _ voice: SyncVoice) throws {
        var output = Output()
        for (path, count) in orphans.tops.sorted(by: { BatchPlan.precedes($0.key, $1.key) }) {
            guard json else {
                try output.append("\(TerminalText.of(path))\(count > 1 ? "  (\(count) paths)" : "")\n")
                continue
            }
            try output.append { bytes in
                var object = JSONObjectWriter(to: &bytes)
                object.append("path", path: path, to: &bytes)
                object.append("paths", number: count, to: &bytes)
                object.end(to: &bytes)
                bytes.append(UInt8(ascii: "\n"))
            }
        }
        try output.flush()
        let listed = orphans.tops.values.reduce(0, +)
        if listed < orphans.count { voice.say("\(orphans.count - listed) more will be listed once these are removed") }
        if orphans.tops.isEmpty, !json { voice.say("no orphans") }
    }
}

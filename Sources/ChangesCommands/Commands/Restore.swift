import ArgumentParser
import LinuxKernel
import Offsite
import SystemPackage

/// `changes restore`: brings a part of a copy back.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copies a path back from a destination.",
        discussion: """
            PATH is as it was at the source, or relative to it; what the copy has there is put into DIR under its last \
            name. Owners come back where the destination kept them (ownership = keep or fake-super).
            """)

    @Argument(help: ArgumentHelp("The destination.", valueName: "destination"))
    var name: String

    @Argument(
        help: ArgumentHelp("What to bring back: a file, or a directory with everything in it.", valueName: "path"))
    var path: PathArgument

    @Option(help: ArgumentHelp("The directory to put it into.", valueName: "dir"))
    var to: PathArgument

    @Flag(help: "Go on where DIR has something in it already, and replace files there.")
    var overwrite = false

    @Flag(help: "Show how far the transfer is.")
    var progress = false

    @OptionGroup var place: ConfigurationOptions

    func run() throws {
        let configuration = try place.configuration()
        let destination = try configuration.destination(named: name)
        let stop: SignalStop
        do throws(Errno) { stop = SignalStop(try Interruptions()) } catch {
            throw CommandFailure(.inputOutput, "signalfd: \(error)")
        }
        let voice = SyncVoice(destination.name, isOnTerminal: progress, command: "restore")
        let directory = try to.absolute(option: "--to")
        let statistics: RsyncStatistics
        do throws(SyncFailure) {
            statistics = try CopyRestore(
                destination, stateDirectory: configuration.store.directory, stop: stop
            ).restore(
                try relative(to: destination.source), to: directory, overwrites: overwrite,
                progress: progress ? { voice.showProgress($0) } : nil)
        } catch {
            throw CommandFailure(error)
        }
        voice.say(
            "\(statistics.files) files, \(ByteSizeText.approximate(statistics.fileBytes)), are in "
                + TerminalText.of(directory))
    }

    private func relative(to source: [UInt8]) throws(SyncFailure) -> [UInt8] {
        var relative = PathBytes.withoutTrailingSlashes(path.bytes)
        if relative.first == UInt8(ascii: "/") {
            guard relative.starts(with: source + [UInt8(ascii: "/")]) else {
                throw SyncFailure.notInSource(path: relative, source: source)
            }
            relative.removeFirst(source.count + 1)
        }
        let components = relative.split(separator: UInt8(ascii: "/"))
        guard !components.isEmpty, !components.contains(Array("..".utf8)[...]) else {
            throw SyncFailure.notInSource(path: path.bytes, source: source)
        }
        return Array(components.joined(separator: [UInt8(ascii: "/")]))
    }
}

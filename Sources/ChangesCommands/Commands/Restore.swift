import ArgumentParser
import LinuxKernel
import Offsite
import SystemPackage

/// `changes restore`: brings a copy, or a part of it, back.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copies paths back from a destination.",
        discussion: """
            On a new host it needs this program, the configuration and the ssh key: no tracker, no state directory. \
            PATH is as it was at the source, or relative to it; it is put into DIR under its last name. `.`, the source's \
            own path or --all put all of the copy into DIR. `changes ls` lists what is there.

            The same command continues a restore that was cut off. Owners come back where the \
            destination kept them (ownership = keep or fake-super). Afterwards `changes sync init --adopt` takes the copy over, and \
            `changes sync` sends nothing again.
            """)

    @OptionGroup var copy: CopyOptions

    @Argument(
        help: ArgumentHelp("What to bring back: a file, or a directory with everything in it.", valueName: "path"))
    var path: PathArgument?

    @Flag(help: "Bring back the whole copy.")
    var all = false

    @Option(help: ArgumentHelp("The directory to put it into; it is made where it is missing.", valueName: "dir"))
    var to: PathArgument

    @Flag(help: "Allow a DIR that is not empty, and replace files in it.")
    var overwrite = false

    @Flag(help: "Show how far the transfer is, also where standard error is no terminal.")
    var progress = false

    func validate() throws {
        guard all != (path != nil) else {
            throw ValidationError(
                all ? "Give either a path or --all, not both." : "Give a path, or --all for the whole copy.")
        }
    }

    func run() throws {
        let configuration = try copy.place.configuration()
        let destination = try configuration.destination(named: copy.name)
        let isShown = progress || Terminal.isTerminal(2)
        let voice = SyncVoice(destination.name, isOnTerminal: isShown, command: "restore")
        var request = RestoreRequest(
            path: try path.map { try copy.relative($0, to: destination.source) } ?? [],
            directory: try to.absolute(option: "--to"))
        request.overwrites = overwrite
        try copy.withReader(destination, configuration) {
            try restore(request, from: $0, voice, isShown: isShown)
        }
    }

    private func restore(
        _ request: RestoreRequest, from reader: CopyReader, _ voice: SyncVoice, isShown: Bool
    ) throws {
        var isContinued: Bool?
        let statistics: RsyncStatistics
        do throws(SyncFailure) {
            statistics = try reader.restore(
                request,
                begins: {
                    isContinued = $0
                    if $0 { voice.say("continuing the restore that was cut off") }
                }, progress: isShown ? { voice.showProgress($0) } : nil)
        } catch {
            let again = "; what arrived stays, and the same command continues from there"
            let failure = CommandFailure(error, copy.name)
            guard isContinued != nil else { throw failure }
            if error == .interrupted { throw CommandFailure(failure.status, "interrupted\(again)") }
            throw CommandFailure(failure.status, failure.message + again)
        }
        let brought = "\(counted(statistics.files, "file")), \(ByteSizeText.approximate(statistics.fileBytes)), "
        let place = TerminalText.of(request.directory)
        voice.say(brought + (isContinued == true ? "were missing; everything is in \(place) now" : "are in \(place)"))
    }
}

/// Which copy a command reads, and from where.
struct CopyOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The destination.", valueName: "destination"))
    var name: String

    @Option(
        help: ArgumentHelp(
            "Another path of the destination's host than target, such as a snapshot of it; paths are relative to it then.",
            valueName: "path"))
    var from: PathArgument?

    @OptionGroup var hostKeys: HostKeyOptions

    @OptionGroup var place: ConfigurationOptions

    /// Hands the copy to `body`.
    ///
    /// - Throws: `CommandFailure`, or what `body` throws.
    func withReader(
        _ destination: DestinationSettings, _ configuration: Configuration, _ body: (CopyReader) throws -> Void
    ) throws {
        let stop: SignalStop
        do throws(Errno) { stop = SignalStop(try Interruptions()) } catch {
            throw CommandFailure(.inputOutput, "signalfd: \(error)")
        }
        let state = configuration.store.directory
        let passing = try HostTrust(destination, stateDirectory: state, options: hostKeys).establishForReading()
        var settings = destination
        if let passing { settings.ssh.knownHosts = passing.file }
        let reader: CopyReader
        do throws(SyncFailure) {
            reader = try CopyReader(settings, from: from?.bytes, stateDirectory: state, stop: stop)
        } catch {
            throw CommandFailure(error, name)
        }
        try body(reader)
        withExtendedLifetime(passing) {}
    }

    /// A path relative to the source; empty: the source itself.
    func relative(_ path: PathArgument, to source: [UInt8]) throws -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var relative = PathBytes.withoutTrailingSlashes(path.bytes)
        if relative.first == slash {
            guard relative == source || relative.starts(with: source + [slash]) else {
                throw CommandFailure(SyncFailure.notInSource(path: relative, source: source), name)
            }
            relative.removeFirst(source.count)
        }
        let components = relative.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
        guard !path.bytes.isEmpty, !components.contains(Array("..".utf8)[...]) else {
            throw CommandFailure(SyncFailure.notInSource(path: path.bytes, source: source), name)
        }
        return Array(components.joined(separator: [slash]))
    }
}

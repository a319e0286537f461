import ArgumentParser
import ChangeStore
import LinuxKernel
import SystemPackage

/// `changes consume`: hands what changed to a command.
struct Consume: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hands every path that changed since the last time to a command.",
        discussion: """
            The paths come on the command's standard input, each once. The consumer's place moves only if the command \
            exits with 0: at least once, nothing is skipped, whatever is killed when. A consumer that never ran, or \
            that history cannot serve, is given every path that exists; the command finds the reason in \
            $CHANGES_FULL (first, store-replaced, history-removed, requested), which is empty otherwise.

            Without changes the command does not run. Its exit status becomes this one's: 128 and the number of the \
            signal that ended it, 126 or 127 when it cannot be started. 75: NAME runs already, or the tracker has not \
            gone through everything yet. 69: there is no store.
            """)

    @Argument(help: ArgumentHelp("The consumer: letters, digits, \"-\", \"_\", \".\".", valueName: "name"))
    var name: String

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command and its arguments, after --.", valueName: "command"))
    var command: [PathArgument] = []

    @Flag(
        name: .customShort("0"),
        help: "Raw paths, each followed by a NUL byte. Default: the log's escapes, a line each.")
    var nulTerminated = false

    @Option(
        help: ArgumentHelp(
            "Paths relative to this directory, with \"./\" before them, and only those below it.", valueName: "dir"))
    var relativeTo: PathArgument?

    @Option(help: ArgumentHelp("Only this path and what is below it, as for query.", valueName: "path"))
    var under: PathArgument?

    @Flag(help: "Only paths that exist, as far as the store knows.")
    var existing = false

    @Flag(help: "Only paths that are gone.")
    var gone = false

    @Option(help: ArgumentHelp("At most so many paths in one run of the command.", valueName: "number"))
    var max: Int?

    @Flag(help: "Wait until there is something.")
    var wait = false

    @Flag(help: "Go on for ever; after a failure the same paths come again, later and later.")
    var loop = false

    @Option(
        help: ArgumentHelp(
            "With --wait and --loop: begin when nothing has changed for so long. Default: 0s, with --loop 30s.",
            valueName: "duration"))
    var quiet: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "Begin so long after the first change at the latest. Default: 15m.", valueName: "duration"))
    var maxDelay: DurationArgument?

    @OptionGroup var store: StoreOptions

    func validate() throws {
        guard !command.isEmpty else {
            throw ValidationError("no command; expected: changes consume NAME -- COMMAND [ARG...]")
        }
        guard !(existing && gone) else { throw ValidationError("--existing and --gone exclude each other") }
        guard !(wait && loop) else { throw ValidationError("--wait and --loop exclude each other") }
        if let max, max < 1 { throw ValidationError("--max takes a number from 1 on") }
        if !wait && !loop, quiet != nil || maxDelay != nil {
            throw ValidationError("--quiet and --max-delay go with --wait or --loop")
        }
    }

    func run() throws {
        let directory = try store.directory()
        let reader = try openStore(in: directory)
        var text = PathText(isRaw: nulTerminated)
        var wishes = ConsumerWishes(presence: existing ? .existing : gone ? .gone : .any, most: max)
        if let relativeTo {
            text.base = try scope(relativeTo, option: "--relative-to", reader)
            wishes.under = text.base
        }
        if let under {
            let scope = try scope(under, option: "--under", reader)
            if let base = text.base, !base.contains(scope.path) {
                throw ValidationError("--under lies outside --relative-to: no path could be written")
            }
            wishes.under = scope
        }
        let lock = try lockConsumer(name, in: directory)
        let consumer = try openConsumer(name, in: directory)
        let name = name
        let run = ConsumerRun(
            stateDirectory: directory, consumer: consumer, wishes: wishes, text: text,
            command: command.map(\.bytes), lock: lock.descriptor.number, interruptions: try interruptions(),
            tell: { Output.complain("changes: consume \(name): \($0)") })
        let loop = ConsumerLoop(
            run: run, pace: self.loop ? .forever : wait ? .wait : .once,
            quiet: (quiet?.duration ?? (self.loop ? .seconds(30) : .zero)).wholeNanoseconds,
            longest: (maxDelay?.duration ?? .seconds(900)).wholeNanoseconds)
        let status: ExitStatus
        do {
            status = try loop()
        } catch let error as StoreError {
            throw failure(of: error, in: directory)
        } catch let error as Errno {
            throw CommandFailure(.inputOutput, "feeding the command: \(error)")
        }
        withExtendedLifetime(lock) {}
        if status != .success { throw CommandFailure(status, "") }
    }

    private func interruptions() throws -> Interruptions {
        do throws(Errno) { return try Interruptions() } catch {
            throw CommandFailure(.inputOutput, "signalfd: \(error)")
        }
    }

    private func scope(_ path: PathArgument, option: String, _ reader: StoreReader) throws -> PathScope {
        try scopeArgument(path.bytes, option: option, roots: reader.roots)
    }
}

/// An argument that is a length of time.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let duration = DurationText.parse(argument) else { return nil }
        self.duration = duration
    }
}

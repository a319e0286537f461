import ChangeStore
import Glibc
import LinuxKernel
import SystemPackage

/// Runs rsync between this host and a destination.
final class DestinationLink {
    let settings: DestinationSettings
    /// What a stop or a heartbeat does to a run.
    var process: ProgramRun
    /// A directory of this destination's own on this host, for empty skeletons and markers.
    let scratch: [UInt8]
    let ssh: SSHCommand?
    let socketDirectory: [UInt8]?
    /// The other side has a shell for us, not only rsync (rrsync does not).
    var hasShell = false
    /// How much room the destination has, as it was found last; nil: nobody knows.
    var room: FileSystemSpace?
    /// The receiver deletes by list.
    var deletesByList = true
    /// The receiver writes files through to its disk when asked to.
    var syncsFiles = false
    /// How it takes compressed data.
    var compression = ReceiverCompression.none
    /// What its file system cannot hold.
    var limits = DestinationLimits()
    /// This host's rsync, since `findPrograms`; nil: not known.
    var ownRsync: RsyncVersion?
    /// What the receiver says of its version, since `greet`: the first line of `rsync --version`, or a line that names its
    /// protocol where no commands run; empty for this host's own.
    var receiverVersion: [UInt8] = []
    /// What the destination was found to be, and what of it the next receiver looks after.
    var contact = Contact()
    /// This process may make namespaces. Without one rsync follows symlinks that take a directory's place in time.
    var isSandboxed = SenderSandbox.isAvailable

    /// Where rsync keeps the part of a file that it could not finish, in the file's directory.
    static let partialName = Array(".nfs-changes-partial".utf8)

    /// Seconds without any progress after which a transfer is given up.
    static let timeout = 300

    struct Outcome {
        var verdict: RsyncVerdict
        var status: Int32
        var statistics = RsyncStatistics()
        /// The last that it wrote to its standard output.
        var output: [UInt8] = []
        var errors: [UInt8]
    }

    /// - Throws: `SyncFailure.system` when the directories cannot be made.
    init(_ settings: DestinationSettings, stateDirectory: [UInt8], process: ProgramRun) throws(SyncFailure) {
        self.settings = settings
        self.process = process
        try LocalTarget(settings.target)?.check(isSandboxed: SenderSandbox.isAvailable)
        let base = stateDirectory + Array("/offsite".utf8)
        do throws(Errno) {
            try FileSystemLook.makeDirectory(base)
            let place = base + Array("/\(settings.name)".utf8)
            try FileSystemLook.makeDirectory(place)
            // A sandbox is given no symlinks.
            scratch = try FileSystemLook.resolved(place)
        } catch {
            throw .system("making a directory in \(OctalEscapes.display(stateDirectory))", error)
        }
        guard case .ssh = settings.target else {
            socketDirectory = nil
            ssh = nil
            return
        }
        // Without one each command logs in by itself, and all of it works.
        let directory = try? FileSystemLook.makeTemporaryDirectory(
            prefix: Array("nfs-changes-ssh".utf8), longest: SSHCommand.longestSocketDirectory)
        socketDirectory = directory
        ssh = SSHCommand(
            settings: settings.ssh, knownHosts: HostKeys.file(of: settings, stateDirectory: stateDirectory),
            socketDirectory: directory)
    }

    deinit {
        guard let socketDirectory else { return }
        if let ssh, let host = settings.sshHost, !FileSystemLook.names(in: socketDirectory).isEmpty {
            // Whatever ended the run: this is a word to a process of this host.
            _ = try? ProgramRun(stop: Deadline(seconds: 2)).run(ssh.closing(host))
        }
        try? FileSystemLook.removeTree(socketDirectory)
    }

    /// Takes over what was found out about the destination before.
    ///
    /// - Returns: what is known of the receiver; nil when it is to be tried.
    func recall(_ consumer: Consumer) throws(StoreError) -> ReceiverAbilities? {
        hasShell = try consumer.note("shell") == [1]
        let known = try ReceiverAbilities.known(to: consumer)
        if let known { use(known) }
        return known
    }

    func use(_ abilities: ReceiverAbilities) {
        deletesByList = abilities.deletesByList
        syncsFiles = abilities.syncsFiles
        compression = abilities.compression
        limits = abilities.limits
    }

    // MARK: Transfers

    /// Sends paths, which are relative to the source, each by itself: a directory without what is in it.
    ///
    /// - Parameters:
    ///   - isForced: whatever size and time say.
    ///   - isInPlace: small files of a first copy.
    ///   - mayReplaceDirectories: a file may take the place of a directory that is not empty.
    ///   - isItemized: `take` gets a line for each path that something is done to.
    func put(
        _ paths: [[UInt8]], isForced: Bool, isInPlace: Bool = false, mayReplaceDirectories: Bool = true,
        isItemized: Bool = false, showsProgress: Bool = false,
        take: ((ArraySlice<UInt8>) -> Void)? = nil, takeErrors: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(SyncFailure) -> Outcome {
        var options = ["-aH"] + transferOptions.placing(isInPlace: isInPlace, temporary: temporaryDirectory)
        if mayReplaceDirectories { options.append("--force") }
        if isForced { options.append("--ignore-times") }
        if syncsFiles { options.append("--fsync") }
        if let bandwidth = settings.bandwidth { options.append("--bwlimit=\(max(1, bandwidth / 1024))") }
        if isItemized { options.append(ItemizedLine.format) }
        if showsProgress { options += ["--info=progress2", "--outbuf=L"] }
        options += attributeOptions + transferOptions.content(isInPlace: isInPlace) { hasHoles(paths) }
        func send() throws(SyncFailure) -> Outcome {
            let sides = [settings.source + [UInt8(ascii: "/")], Array((targetText + "/").utf8)]
            return try run(
                options, list: paths, sides, source: settings.source, isGuarded: true,
                listIsArguments: paths.count >= ListedArguments.fewest, take: take, takeErrors: takeErrors)
        }
        let outcome = try watchingRoom(send)
        guard outcome.verdict != .done, Self.lacksTemporaryDirectory(outcome.errors) else { return outcome }
        try makeTemporaryDirectory()
        return try watchingRoom(send)
    }

    /// Makes entries of a directory from those of another one at the destination, where they are alike.
    ///
    /// - Parameters:
    ///   - entries: relative to `directory`.
    ///   - directory: relative to source and target; it is there.
    ///   - other: relative to the target.
    func link(
        _ entries: [[UInt8]], in directory: [UInt8], from other: [UInt8],
        take: ((ArraySlice<UInt8>) -> Void)? = nil, takeErrors: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(SyncFailure) -> Outcome {
        var options = ["-aH", "--link-dest=" + receiverPath(String(decoding: other, as: UTF8.self))]
        options.append("--temp-dir=" + receiverPath("\(DestinationMarker.directory)/tmp"))
        if syncsFiles { options.append("--fsync") }
        options += attributeOptions + ["--sparse"]
        if take != nil { options.append(ItemizedLine.format) }
        if let bandwidth = settings.bandwidth { options.append("--bwlimit=\(max(1, bandwidth / 1024))") }
        return try run(
            options, list: entries, from: settings.source + [UInt8(ascii: "/")] + directory,
            to: targetText + "/" + String(decoding: directory, as: UTF8.self), isGuarded: true, take: take,
            takeErrors: takeErrors)
    }

    /// A path below the target as an option names it for the receiver: absolute, a daemon's from its module. What is
    /// relative means something else with rrsync, which reads it from its own directory, and both rrsync and a daemon
    /// take no `..`.
    func receiverPath(_ path: String) -> String {
        switch settings.target {
        case .ssh(_, _, let target), .local(let target): "\(target)/\(path)"
        case .daemon: "/\(settings.target.top.prefix)\(path)"
        }
    }

    /// What the transfer does about owners, modes and more; verification does the same.
    var attributeOptions: [String] { transferOptions.attributes }

    var transferOptions: TransferOptions {
        var isRsyncOnly = false
        if case .ssh = settings.target { isRsyncOnly = !hasShell }
        return TransferOptions(settings: settings, isRsyncOnly: isRsyncOnly, compression: compression)
    }

    /// Whether one of these files of the source has holes.
    private func hasHoles(_ paths: [[UInt8]]) -> Bool {
        guard var look = try? SourceLook(source: settings.source) else { return false }
        return paths.contains { path in
            guard case .present(let status) = look.state(of: path) else { return false }
            return status.type == .file && status.hasHoles
        }
    }

    /// For runs that read the destination: its rsync gives out what was kept in extended attributes, and this side does
    /// not keep it there. In a local run a plain option is both sides', and `-M` the receiver's (rsync(1)).
    var readingAttributes: [String] {
        guard settings.ownership == .fakeSuper else { return [] }
        if case .local = settings.target { return ["--fake-super", "-M--super"] }
        return ["-M--fake-super"]
    }

    // MARK: Commands

    /// Runs a command in the shell of an ssh destination; others have none.
    ///
    /// - Parameter input: what it finds on its standard input; nil: nothing.
    func shell(_ command: String, input: [UInt8]? = nil) throws(SyncFailure) -> ProgramRun.Result {
        guard let ssh, let host = settings.sshHost else {
            return ProgramRun.Result(status: 127, output: [], errors: [], wasInterrupted: false)
        }
        let arguments = ssh.arguments + [host.destination, Array(command.utf8)]
        contact.wasReached = true
        do throws(Errno) { return try process.run(arguments, input: input) } catch {
            throw .missingProgram("ssh", error)
        }
    }

    /// Commands run on another host.
    var isRemote: Bool { ssh != nil }
    var sshKnownHosts: [UInt8]? { ssh?.knownHosts }

    /// The target's path on its host; nil for a daemon's.
    var targetPath: String? {
        switch settings.target {
        case .ssh(_, _, let path), .local(let path): path
        case .daemon: nil
        }
    }

    var targetText: String { settings.target.text }

    /// This program's own directory there.
    var ownPlace: String { (targetPath ?? "") + "/\(DestinationMarker.directory)" }

    func check(_ outcome: Outcome, _ step: String) throws(SyncFailure) {
        switch outcome.verdict {
        case .done: return
        case .interrupted: throw .interrupted
        case let verdict:
            if let failure = loginFailure(outcome.errors) { throw failure }
            throw .rsync(verdict, status: outcome.status, step: step, errors: Self.display(outcome.errors))
        }
    }

    /// The last lines that rsync wrote, for people: bounded, escaped, on one line.
    static func display(_ errors: [UInt8]) -> String {
        // ssh ends its lines with both.
        let lines = errors.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.suffix(3)
        return lines.map { OctalEscapes.display(Array($0.prefix(300))) }.joined(separator: "; ")
    }

    // MARK: Running rsync

    func run(
        _ options: [String], list: [[UInt8]]?, from: [UInt8], to: String, isGuarded: Bool, files: [[UInt8]] = [],
        take: ((ArraySlice<UInt8>) -> Void)? = nil, takeErrors: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(SyncFailure) -> Outcome {
        let sides = [from + [UInt8(ascii: "/")], Array((to + "/").utf8)]
        return try run(
            options, list: list, sides, source: from, isGuarded: isGuarded, files: files, take: take,
            takeErrors: takeErrors)
    }

    /// - Parameters:
    ///   - list: relative paths; nil: no list.
    ///   - source: what is sent from, when this host sends: rsync then sees nothing else.
    ///   - receiving: where what comes goes to, when this host receives: rsync can write nowhere else.
    ///   - isGuarded: the receiver starts only where the marker is, and only one at a time.
    ///   - files: what rsync reads beside the source.
    ///   - listIsArguments: see `ListedArguments`; only in a sandbox.
    func run(
        _ options: [String], list: [[UInt8]]?, _ sides: [[UInt8]], source: [UInt8]?, receiving: Receiving? = nil,
        isGuarded: Bool, files: [[UInt8]] = [], hasStatistics: Bool = true,
        listIsArguments: Bool = false,
        take: ((ArraySlice<UInt8>) -> Void)? = nil, takeErrors: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(SyncFailure) -> Outcome {
        var arguments = options + ["--no-human-readable", "--no-motd"]
        if hasStatistics { arguments.append("--stats") }
        if case .local = settings.target {} else { arguments.append("--timeout=\(Self.timeout)") }
        if list != nil { arguments += ["--from0", "--files-from=-"] }
        let seal = isGuarded ? takeSeal() : nil
        if ssh != nil, isGuarded, hasShell { arguments.append(guardedReceiver(sealing: seal)) }
        var bytes = arguments.map { Array($0.utf8) }
        var files = files
        if let file = settings.passwordFile {
            bytes.append(Array("--password-file=".utf8) + file)
            files.append(file)
        }
        bytes += [Array("--".utf8)] + sides
        var input: [UInt8] = []
        for path in list ?? [] {
            input += Array("./".utf8) + path
            input.append(0)
        }
        let lock = isGuarded ? try receiverLock() : nil
        defer { withExtendedLifetime(lock) {} }
        let result: ProgramRun.Result
        do throws(Errno) {
            result = try admitted { () throws(Errno) in
                try start(
                    bytes, source: source, receiving: receiving, files: files, input: list == nil ? nil : input,
                    lock?.number, listIsArguments, take, takeErrors)
            }
        } catch {
            throw .missingProgram("rsync", error)
        }
        contact.wasReached = true
        if let seal { noteSeal(seal, isWritten: result.status == 0 && !result.wasInterrupted, result.errors) }
        if isGuarded, ssh != nil, hasShell, ReceiverScript.isRefused(result.status, result.errors) { throw otherMarker }
        return Outcome(
            verdict: result.wasInterrupted ? .interrupted : RsyncVerdict(status: result.status, errors: result.errors),
            status: result.status, statistics: RsyncStatistics(parsing: result.output), output: result.output,
            errors: result.errors)
    }

    /// A receiver may end a moment after this side of it, above all one that failed: its lock, or a daemon's place for it, is
    /// free only then.
    private func admitted(_ start: () throws(Errno) -> ProgramRun.Result) throws(Errno) -> ProgramRun.Result {
        let deadline = MonotonicTime.now.advanced(milliseconds: Self.patience)
        while true {
            let result = try start()
            guard RsyncVerdict(status: result.status, errors: result.errors) == .busy, !result.wasInterrupted,
                MonotonicTime.now < deadline
            else { return result }
            _ = try EventPoll().wait(milliseconds: 100)
        }
    }

    /// Milliseconds that a connection before this one may take to end.
    private static let patience: Int64 = 3_000

    /// Starts rsync, in a sandbox where there can be one.
    private func start(
        _ arguments: [[UInt8]], source: [UInt8]?, receiving: Receiving?, files: [[UInt8]], input: [UInt8]?,
        _ lock: CInt?, _ listIsArguments: Bool, _ take: ((ArraySlice<UInt8>) -> Void)?,
        _ takeErrors: ((ArraySlice<UInt8>) -> Void)?
    ) throws(Errno) -> ProgramRun.Result {
        let program = [Array("rsync".utf8)]
        guard isSandboxed, source != nil || receiving != nil else {
            let shell = ssh.map { [Array("-e".utf8), $0.text] } ?? []
            return try process.run(
                program + shell + arguments, input: input, take: take, takeErrors: takeErrors, lock: lock)
        }
        let destination: SenderSandbox.Destination =
            switch settings.target {
            case .local(let path): .local(receiving?.place ?? Array(path.utf8))
            case .daemon: .daemon
            case .ssh(_, let host, _): .ssh(command: ssh?.arguments ?? [], host: Array(host.utf8))
            }
        let sandbox = try SenderSandbox(
            program + arguments, source: source ?? receiving?.origin,
            writable: isLocal ? [] : (receiving.map { [$0.place] } ?? []), files: files,
            keepsOwners: receiving?.keepsOwners ?? false, to: destination, lock: lock,
            listIsArguments: listIsArguments)
        return try process.run(sandbox, input: input, take: take, takeErrors: takeErrors)
    }

    var isLocal: Bool { if case .local = settings.target { true } else { false } }
}

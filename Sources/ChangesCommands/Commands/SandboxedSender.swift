import ArgumentParser
import LinuxKernel
import Offsite
import SystemPackage

/// `changes sandboxed-sender`: what `SenderSandbox` starts in the place of rsync.
struct SandboxedSender: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandboxed-sender", abstract: "Runs rsync where it sees nothing but its source.",
        shouldDisplay: false)

    @Option var source: PathArgument?
    @Option(name: .customLong("bind")) var readOnly: [PathArgument] = []
    @Option(name: .customLong("bind-writable")) var writable: [PathArgument] = []
    @Option(name: .customLong("bind-file")) var files: [PathArgument] = []
    @Flag var nameResolution = false
    @Flag var receiver = false
    @Option var bridge: Int32?
    @Option var lock: Int32?
    @Flag var listArguments = false
    @Argument(parsing: .postTerminator) var command: [PathArgument] = []

    func run() throws {
        var plan = SandboxPlan(source: source?.bytes, command: command.map(\.bytes))
        plan.readOnly = readOnly.map(\.bytes)
        plan.writable = writable.map(\.bytes)
        plan.files = files.map(\.bytes)
        plan.hasNameResolution = nameResolution
        plan.isReceiver = receiver
        plan.bridge = bridge
        plan.lock = lock
        plan.listIsArguments = listArguments
        let failure = plan.enter()
        throw CommandFailure(
            .operatingSystem, "sandboxed-sender: \(TerminalText.of(failure.step)): \(failure.code)")
    }
}

/// `changes sender-relay`: rsync's `-e` in a sandbox.
struct SenderRelayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sender-relay", abstract: "Stands in for ssh in a sandbox.", shouldDisplay: false)

    @Argument var descriptor: Int32
    @Argument(parsing: .captureForPassthrough) var arguments: [PathArgument] = []

    func run() throws {
        let status = SenderRelay.run(descriptor, arguments.map(\.bytes))
        if status != 0 { throw CommandFailure(ExitStatus(rawValue: status), "") }
    }
}

/// `changes sender-shell`: starts the ssh that a sandboxed rsync asks for.
struct SenderShellCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sender-shell", abstract: "Starts ssh for an rsync in a sandbox.", shouldDisplay: false)

    @Argument var descriptor: Int32
    @Option var host: PathArgument
    @Argument(parsing: .postTerminator) var command: [PathArgument] = []

    func run() throws {
        let status: CInt
        do throws(Errno) {
            status = try SenderShell(descriptor, host: host.bytes, command: command.map(\.bytes)).run()
        } catch {
            throw CommandFailure(.operatingSystem, "sender-shell: \(error)")
        }
        if status != 0 { throw CommandFailure(ExitStatus(rawValue: status), "") }
    }
}

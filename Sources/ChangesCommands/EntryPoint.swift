import ArgumentParser
import Glibc

/// Runs the command that the process's arguments name, and ends the process with its exit status.
///
/// The argument parser's own `main` would answer a wrong command line with 64 (EX_USAGE); here it is 2, as
/// for most tools that stand beside this one in scripts.
public func runChanges() -> Never {
    exit(status(of: ArgumentBytes.ofProcess).rawValue)
}

/// Runs a command and reports how it ended.
func status(of arguments: [String]) -> ExitStatus {
    do {
        var command = try Changes.parseAsRoot(arguments)
        try command.run()
        return .success
    } catch {
        return report(error)
    }
}

private func report(_ error: any Error) -> ExitStatus {
    switch error {
    case let failure as CommandFailure:
        if !failure.message.isEmpty { Output.complain(failure.report) }
        return failure.status
    case Output.Failure.closed:
        return .success
    case Output.Failure.failed(let code):
        Output.complain("changes: standard output: \(code)")
        return .inputOutput
    default:
        return reportOther(error)
    }
}

/// Help and version requests, which the parser throws as well, go to standard output. What is neither those nor a
/// wrong command line came from below the command: a store that cannot be read.
private func reportOther(_ error: any Error) -> ExitStatus {
    let code = Changes.exitCode(for: error)
    guard code.isSuccess else {
        guard code == .validationFailure else { return report(CommandFailure(.inputOutput, "\(error)")) }
        Output.complain(Changes.fullMessage(for: error))
        return .usage
    }
    do {
        let message = Changes.fullMessage(for: error)
        try Output.write(message.hasSuffix("\n") ? message : message + "\n")
        return .success
    } catch {
        return report(error)
    }
}

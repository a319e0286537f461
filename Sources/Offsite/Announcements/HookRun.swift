import Glibc
import LinuxKernel
public import SystemPackage

/// A command of the administrator's that goes on beside the work, for a limited time. Ends with its owner.
public final class HookRun {
    private var child: ChildProcess

    /// Seconds that it may take; then it and what it started get SIGTERM, and 5 s later SIGKILL.
    static let longest = 60

    /// - Parameters:
    ///   - command: for `/bin/sh -c`.
    ///   - environment: variables in addition to this process's own.
    /// - Throws: the errno that kept it from starting.
    public init(_ command: [UInt8], environment: [(name: String, value: String)], seconds: Int? = nil) throws(Errno) {
        // timeout(1) makes a process group of its own and ends all of it.
        let words = ["timeout", "--kill-after=5", "\(seconds ?? Self.longest)", "/bin/sh", "-c"].map { Array($0.utf8) }
        child = try ChildProcess.spawn(
            words + [command],
            // No NUL can stand in the environment.
            environment: environment.map { (Array($0.name.utf8), $0.value.utf8.filter { $0 != 0 }) })
    }

    deinit { try? child.signalGroup(SIGKILL) }

    /// How it ended; nil: it goes on. Never waits.
    public func poll() -> Ending? {
        let outcome: ChildProcess.Outcome?
        do throws(Errno) { outcome = try child.poll() } catch { return .failed("\(error)") }
        return switch outcome {
        case nil: nil
        case .exited(0): .succeeded
        case .exited(124), .exited(137), .signalled(SIGKILL): .failed("it took too long and was ended")
        case .exited(let status): .failed("it ended with \(status)")
        case .signalled(let number): .failed("it was ended by signal \(number)")
        }
    }

    public enum Ending: Equatable, Sendable {
        case succeeded
        case failed(String)
    }
}

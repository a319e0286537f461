import ChangeStore
import LinuxKernel
import SystemPackage

/// Runs a consumer once, when there is something, or for ever.
struct ConsumerLoop {
    enum Pace: Equatable {
        case once
        /// Waits for something, then once.
        case wait
        case forever
    }

    let run: ConsumerRun
    let pace: Pace
    /// Nanoseconds without a change after which a batch begins.
    let quiet: Int64
    /// Nanoseconds after its first change when it begins nevertheless.
    let longest: Int64

    /// Nanoseconds after a failure, doubled with each that follows, at most the other.
    private static let firstPause: Int64 = 1_000_000_000
    private static let longestPause: Int64 = 300_000_000_000
    /// Milliseconds between two looks. What is watched is a directory, and another one may come to have its name.
    private static let longestWait: Int32 = 60_000

    /// - Returns: the exit status.
    func callAsFunction() throws -> ExitStatus {
        let watch: StoreWatch
        do throws(Errno) {
            watch = try StoreWatch(stateDirectory: run.stateDirectory, signals: run.interruptions.descriptor)
        } catch {
            throw CommandFailure(.inputOutput, "waiting for changes: \(error)")
        }
        var pause = Self.firstPause
        // The last batch was not all that there was.
        var isMore = false
        while true {
            // Where there is always something, nothing else may wait for signals.
            if !take() { return interrupted }
            if pace != .once, !isMore, try !waitForChanges(watch) { return interrupted }
            isMore = false
            let result: ConsumerRun.Result
            do {
                result = try run.run()
            } catch  where pace == .forever && Self.isPassing(error) {
                run.tell("\(Self.text(of: error)); trying again in \(pause / 1_000_000_000) s")
                if try !rest(pause, watch) { return interrupted }
                pause = min(pause * 2, Self.longestPause)
                continue
            }
            switch result {
            case .interrupted: return interrupted
            case .nothing where pace == .once: return .success
            case .nothing: continue
            case .done(let ran, let rest):
                pause = Self.firstPause
                isMore = rest
                if pace == .once || pace == .wait && ran { return .success }
            case .failed(let status):
                let words = "the command failed (exit status \(status)); the next run gets the same paths"
                try? run.consumer.noteFailure("the command's exit status was \(status)", at: .now)
                guard pace == .forever else {
                    run.tell(words)
                    return ExitStatus(rawValue: status)
                }
                run.tell("\(words), in \(pause / 1_000_000_000) s")
                if try !rest(pause, watch) { return interrupted }
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private var interrupted: ExitStatus { ExitStatus(rawValue: 128 + (run.interruptions.received ?? 0)) }

    /// Whether a later try may succeed where this one did not.
    private static func isPassing(_ error: any Error) -> Bool {
        switch error {
        case let error as StoreError: [.notFound, .busy, .full, .inputOutput].contains(error.reason)
        case let failure as CommandFailure: failure.status == .temporary
        default: false
        }
    }

    private static func text(of error: any Error) -> String { (error as? CommandFailure)?.message ?? "\(error)" }

    // MARK: Waiting

    /// Waits until there is something, and then until it has been quiet for a while.
    ///
    /// - Returns: false when a signal came.
    private func waitForChanges(_ watch: StoreWatch) throws -> Bool {
        while !isAnythingPending() {
            if try watch.wait(atMost: Self.longestWait) == .signal { return take() }
        }
        let end = MonotonicTime.now.nanoseconds + longest
        var last = lastSequence()
        var since = MonotonicTime.now.nanoseconds
        while true {
            let now = MonotonicTime.now.nanoseconds
            let left = min(since + quiet, end) - now
            if left <= 0 { return true }
            if try watch.wait(atMost: Int32(clamping: (left + 999_999) / 1_000_000)) == .signal { return take() }
            let found = lastSequence()
            if found != last { (last, since) = (found, MonotonicTime.now.nanoseconds) }
        }
    }

    /// Waits, whatever changes.
    private func rest(_ pause: Int64, _ watch: StoreWatch) throws -> Bool {
        let end = MonotonicTime.now.nanoseconds + pause
        while true {
            let left = end - MonotonicTime.now.nanoseconds
            if left <= 0 { return true }
            if try watch.wait(atMost: Int32(clamping: (left + 999_999) / 1_000_000)) == .signal { return take() }
        }
    }

    private func take() -> Bool {
        while run.interruptions.next() != nil {}
        return run.interruptions.received == nil
    }

    /// Where the store cannot be read now, the run is to say so.
    private func isAnythingPending() -> Bool {
        do {
            if run.consumer.hasMoved { return true }
            let reader = try StoreReader(stateDirectory: run.stateDirectory)
            guard case .at(let cursor) = try run.consumer.standing(in: reader) else {
                // Everything is known only after the tracker's first walk.
                return try reader.isBaselineDone
            }
            return try reader.lastSequence > cursor
        } catch {
            return true
        }
    }

    private func lastSequence() -> Int64 {
        (try? StoreReader(stateDirectory: run.stateDirectory).lastSequence) ?? 0
    }
}

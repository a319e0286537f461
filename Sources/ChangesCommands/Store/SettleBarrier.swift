import LinuxKernel
import TrackerDaemon

/// Waiting until the tracker has recorded everything that happened before, for as long as it shows that it lives.
struct SettleBarrier {
    let stateDirectory: [UInt8]
    /// Called about once a second; false ends the waiting.
    var proceed: () -> Bool = { true }

    /// Seconds for an answer that takes no work: that of a tracker that is stopped or stuck never comes.
    private static let patience: Int64 = 30
    /// Seconds that a tracker which is not comparing everything may take to record what happened.
    private static let longestSettling: Int64 = 600

    /// - Returns: the tracker's answer; an error says what was waited for.
    /// - Throws: where there is none.
    func wait() throws(ControlError) -> ControlReply {
        // It says at once how it is, whatever it is busy with, if it lives.
        if case .error(let reason) = try ask(.status) { return .error("its status: \(reason)") }
        let start = MonotonicTime.now
        var next = start.advanced(milliseconds: Self.patience * 1_000)
        var last = ""
        var isGivenUp = false
        do throws(ControlError) {
            return try ControlClient.request(.settle, stateDirectory: stateDirectory, timeout: .seconds(3_600)) {
                guard proceed() else { return false }
                guard MonotonicTime.now >= next else { return true }
                next = MonotonicTime.now.advanced(milliseconds: Self.patience * 1_000)
                guard case .ok(let text)? = try? ask(.status), let report = TrackerReport(parsing: text) else {
                    isGivenUp = proceed()
                    return false
                }
                last = report.sentence
                if case .comparing = report.phase { return true }
                isGivenUp = MonotonicTime.now - start > Self.longestSettling * 1_000_000_000
                return !isGivenUp
            }
        } catch {
            guard isGivenUp else { throw error }
            let seconds = (MonotonicTime.now - start) / 1_000_000_000
            let state = last.isEmpty ? "nor does its status" : "its status: \(last)"
            return .error("it has not answered for \(seconds) s (\(state))")
        }
    }

    private func ask(_ request: ControlRequest) throws(ControlError) -> ControlReply {
        try ControlClient.request(
            request, stateDirectory: stateDirectory, timeout: .seconds(Self.patience), waiting: proceed)
    }
}

import LinuxKernel
import Offsite

/// Tells the tracker's dead man's switch how it is. The tracker itself reaches no network.
enum TrackerPing {
    /// Waits until it is delivered: 30 seconds at most.
    ///
    /// - Throws: `CommandFailure` when it is not.
    static func send(_ check: StatusCheck, to url: String) throws {
        let text = "tracker: \(check.health), \(check.details.joined(separator: "; "))"
        let sender = PingSender(PingTarget(url: url))
        sender.send(check.status == .success ? .success(text) : .failure(text))
        while true {
            if case .failed(let failure)? = sender.poll() {
                throw CommandFailure(
                    .temporary, failure.text("ping not delivered", server: "the server", key: "watch.ping_url"))
            }
            if sender.isIdle { return }
            KernelThread.sleep(milliseconds: 20)
        }
    }
}

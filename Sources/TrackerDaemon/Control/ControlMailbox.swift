import LinuxKernel
import Synchronization
import SystemPackage

/// Where other threads leave what the control thread is to do: answers to send, and the order to stop.
final class ControlMailbox: Sendable {
    struct Content {
        var replies: [(client: UInt64, reply: ControlReply)] = []
        var isStopping = false
    }
    private let content = Mutex(Content())
    let wakeUp: WakeUp

    init() throws(Errno) { wakeUp = try WakeUp() }

    func post(_ reply: ControlReply, to client: UInt64) {
        content.withLock { $0.replies.append((client, reply)) }
        wakeUp.signal()
    }

    func stop() {
        content.withLock { $0.isStopping = true }
        wakeUp.signal()
    }

    /// Takes everything out.
    func empty() -> Content {
        wakeUp.clear()
        return content.withLock { content in
            defer { content.replies = [] }
            return content
        }
    }
}

/// The right to answer one request, once. An answer that nobody gives becomes an error when the last holder goes, so a
/// client never waits for a request that was lost.
final class PendingReply: Sendable {
    private let client: UInt64
    private let mailbox: ControlMailbox
    private let isAnswered = Atomic<Bool>(false)

    init(to client: UInt64, through mailbox: ControlMailbox) {
        self.client = client
        self.mailbox = mailbox
    }

    func answer(_ reply: ControlReply) {
        if isAnswered.exchange(true, ordering: .relaxed) { return }
        mailbox.post(reply, to: client)
    }

    deinit {
        if !isAnswered.load(ordering: .relaxed) {
            mailbox.post(.error("the tracker dropped the request; try again"), to: client)
        }
    }
}

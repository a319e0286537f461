import ChangeStore
import LinuxKernel
import Logging
import Synchronization
import SystemPackage

/// Opens the store, and sets a damaged one aside.
enum StoreKeeper {
    /// - Throws: whatever keeps the store from being opened, damage apart: a damaged one is kept under another name
    ///   and a new one made, with a new UUID, whose first walk is a baseline.
    static func open(_ files: StoreFiles, log: Logger) throws(StoreError) -> Store {
        do throws(StoreError) {
            return try Store(files: files)
        } catch  where error.reason == .corrupt {
            try setAside(files, because: error, log: log)
            return try Store(files: files)
        }
    }

    /// Renames a damaged store's files. They are never deleted: what can still be read from them is the
    /// administrator's to decide.
    static func setAside(_ files: StoreFiles, because error: StoreError, log: Logger) throws(StoreError) {
        let suffix = Array(".damaged-\(Timestamp.now.nanoseconds)".utf8)
        for part in ["", "-wal", "-shm"] {
            let name = files.database + Array(part.utf8)
            guard FileSystemLook.exists(name) else { continue }
            do throws(Errno) {
                try FileSystemLook.rename(name, to: files.database + suffix + Array(part.utf8))
            } catch {
                throw StoreError(
                    reason: .inputOutput, operation: "setting the damaged store aside",
                    message: "\(error): check the state directory's permissions and its file system")
            }
        }
        log.critical(
            "the store is damaged and was set aside; a new one is made, and every consumer needs a full reconcile",
            metadata: [
                "error": "\(error)", "kept": "\(String(decoding: files.database + suffix, as: UTF8.self))",
            ])
    }
}

/// Folds the store's write-ahead log into its file, on a thread of its own.
final class CheckpointThread: Sendable {
    private let wakeUp: WakeUp
    private let poll: EventPoll
    private let isStopping = Atomic(false)
    private let thread: Mutex<KernelThread?> = Mutex(nil)

    init(files: StoreFiles, log: Logger) throws(Errno) {
        let wake = try WakeUp()
        let events = try EventPoll()
        try events.add(wake.descriptor.number, for: .readable, tag: 0)
        wakeUp = wake
        poll = events
        thread.withLock { $0 = KernelThread(name: "checkpoint") { [self] in run(files, log) } }
    }

    func wake() { wakeUp.signal() }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeUp.signal()
        thread.withLock { $0 }?.join()
    }

    private func run(_ files: StoreFiles, _ log: Logger) {
        var checkpointer: Checkpointer?
        while true {
            _ = try? poll.wait(milliseconds: nil)
            wakeUp.clear()
            if isStopping.load(ordering: .acquiring) { return }
            do throws(StoreError) {
                if checkpointer == nil { checkpointer = try Checkpointer(files: files) }
                try checkpointer?.run()
            } catch {
                checkpointer = nil
                log.warning("the write-ahead log could not be folded into the store", metadata: ["error": "\(error)"])
            }
        }
    }
}

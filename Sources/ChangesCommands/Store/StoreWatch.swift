import ChangeStore
import LinuxKernel
import SystemPackage

/// Waits for the tracker, or a command about a consumer, to commit something: watches their directories with inotify, and polls where that is not to
/// be had.
final class StoreWatch {
    private let inotify: Instance?
    private let poll: EventPoll
    /// Looks still to be taken after the last event: SQLite writes its log first, which raises the event, and then
    /// makes it count, in shared memory, which raises none.
    private var looks: ArraySlice<Int32> = []

    /// Milliseconds between an event and the looks after it.
    private static let looksAfterEvent: [Int32] = [2, 20, 100, 300]
    /// Milliseconds between looks where there is no inotify instance left for this user.
    private static let pollInterval: Int32 = 250

    private static let inotifyTag: UInt64 = 0
    private static let outputTag: UInt64 = 1
    private static let signalTag: UInt64 = 2

    /// - Parameters:
    ///   - stateDirectory: absolute.
    ///   - output: a descriptor whose reader may go away, which ends the waiting; nil for none.
    ///   - signals: a signalfd, which ends the waiting too.
    ///   - includesConsumers: what is written about a consumer counts, too.
    /// - Throws: the errno of epoll_create1(2).
    init(stateDirectory: [UInt8], output: CInt? = nil, signals: CInt? = nil, includesConsumers: Bool = false)
        throws(Errno)
    {
        let poll = try EventPoll()
        // Files and terminals need no such watch; epoll refuses files (EPERM).
        if let output { try? poll.add(output, for: [.error, .hangUp], tag: Self.outputTag) }
        if let signals { try poll.add(signals, for: .readable, tag: Self.signalTag) }
        inotify = Instance(
            watching: [stateDirectory] + (includesConsumers ? [StoreFiles(directory: stateDirectory).consumers] : []))
        if let inotify { try poll.add(inotify.inotify.descriptor.number, for: .readable, tag: Self.inotifyTag) }
        self.poll = poll
    }

    /// A class, so that it can be optional.
    private final class Instance {
        let inotify: Inotify

        /// - Parameter directories: the first must be there.
        init?(watching directories: [[UInt8]]) {
            guard let inotify = try? Inotify() else { return nil }
            for (index, directory) in directories.enumerated() {
                guard let opened = try? OwnedDescriptor.openDirectory(directory, access: .list),
                    (try? inotify.watch(
                        directory: opened.number, for: [.modify, .create, .movedTo, .movedFrom, .delete])) != nil
                else {
                    if index == 0 { return nil }
                    continue
                }
            }
            self.inotify = inotify
        }
    }

    enum Event {
        /// There may be something new.
        case stirred
        case timeout
        /// Nobody reads the output any more.
        case hungUp
        /// A signal waits.
        case signal
    }

    /// - Parameter limit: milliseconds to wait at most; nil for as long as it takes.
    /// - Throws: the errno of epoll_wait(2).
    func wait(atMost limit: Int32? = nil) throws(Errno) -> Event {
        let look = looks.popFirst() ?? (inotify == nil ? Self.pollInterval : nil)
        let delay = [look, limit].compactMap { $0 }.min()
        let ready = try poll.wait(milliseconds: delay)
        if ready.contains(where: { $0.tag == Self.outputTag }) { return .hungUp }
        if ready.contains(where: { $0.tag == Self.signalTag }) { return .signal }
        if ready.isEmpty { return look != nil && look == delay ? .stirred : .timeout }
        drain()
        looks = Self.looksAfterEvent[...]
        return .stirred
    }

    private func drain() {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 8) { buffer in
            while let count = try? inotify?.inotify.read(into: buffer), count > 0 {}
        }
    }
}

import LinuxKernel
import Synchronization
import SystemPackage
import Tracking

/// Lists directories and takes the status of each of their names on a thread of its own, a few directories ahead of the
/// tracker's thread, which compares them with the index: a walk costs about as much in the kernel as in the index.
///
/// A status that is old by the time it is compared does no harm. The directory was watched before it was listed, so
/// what changed since raised an event, and the name is looked at anew for that; and nothing is recorded on the word of
/// such a status, a difference only leads to a look.
final class DirectoryScout: Sendable {
    /// Directories handed over together: enough that the two threads rarely wait for each other.
    static let batchSize = 16
    /// Bytes of directories handed over together, as their own sizes tell (about 16 to 40 an entry): a bound for the
    /// memory of their listings and for how long a slice of a walk can take.
    static let batchBytes: Int64 = 128 << 10
    /// A directory of more names has them looked at by the tracker's thread, one at a time.
    private static let mostStatuses = 8_192

    private let shared: Shared
    private let thread: KernelThread

    /// - Throws: the errno of eventfd(2).
    init() throws(Errno) {
        let shared = try Shared()
        self.shared = shared
        thread = KernelThread(name: "scout") { shared.run() }
    }

    deinit {
        shared.put(nil)
        thread.join()
    }

    /// The kernel's number of the thread.
    var threadIdentifier: Int32 { thread.identifier }

    /// Hands directories over. None of them may be touched until `collect` has given them back.
    func submit(_ directories: [ScoutedDirectory]) { shared.put(directories) }

    /// Waits for the directories that were submitted first of those not yet collected.
    func collect() -> [ScoutedDirectory] { shared.takeListed() }

    private final class Shared: Sendable {
        private let waiting = Mutex<[[ScoutedDirectory]?]>([])
        private let listed = Mutex<[[ScoutedDirectory]]>([])
        private let submitted: Semaphore
        private let finished: Semaphore

        init() throws(Errno) {
            let first = try Semaphore()
            finished = try Semaphore()
            submitted = first
        }

        func put(_ directories: [ScoutedDirectory]?) {
            waiting.withLock { $0.append(directories) }
            submitted.signal()
        }

        func takeListed() -> [ScoutedDirectory] {
            finished.wait()
            return listed.withLock { $0.removeFirst() }
        }

        func run() {
            let lister = DirectoryLister()
            while true {
                submitted.wait()
                guard let directories = waiting.withLock({ $0.removeFirst() }) else { return }
                for directory in directories { directory.list(with: lister, mostStatuses: DirectoryScout.mostStatuses) }
                listed.withLock { $0.append(directories) }
                finished.signal()
            }
        }
    }
}

/// An open, watched directory of a walk with its listing.
///
/// Unchecked, because it belongs to one thread at a time: to the scout between `submit` and `collect`.
final class ScoutedDirectory: @unchecked Sendable {
    let node: NodeID
    let opened: OpenDirectory
    let scope: ScanScope
    /// `DirectoryTree.rearrangements` when it was opened.
    let rearrangements: Int
    let listing: Listing
    /// Why it could not be listed.
    private(set) var failure: Errno?

    init(_ node: NodeID, _ opened: consuming OpenDirectory, _ scope: ScanScope, rearrangements: Int, listing: Listing) {
        self.node = node
        self.opened = opened
        self.scope = scope
        self.rearrangements = rearrangements
        self.listing = listing
    }

    /// - Parameter mostStatuses: a directory of more names gets none.
    func list(with lister: borrowing DirectoryLister, mostStatuses: Int) {
        let descriptor = opened.descriptor.number
        do throws(Errno) {
            try lister.list(descriptor) { name, length, inode, isDirectory in
                listing.append(
                    UnsafeRawBufferPointer(start: name, count: length), inode: inode, isDirectory: isDirectory)
            }
        } catch {
            failure = error
            return
        }
        listing.sortByInode()
        if listing.count > mostStatuses { return }
        listing.takeStatuses(at: .now) { try? FileStatus.of($0.cString, in: descriptor) }
    }
}

import LinuxKernel
import SystemPackage

/// The kernel and its limits for inotify (inotify(7)); nil for a setting that /proc does not tell.
struct KernelFacts: Sendable {
    var version: KernelVersion?
    /// `fs.inotify.max_user_watches`.
    var maxWatches: Int?
    /// `user.max_inotify_watches` of this user namespace, where it is lower.
    var namespaceWatches: Int?
    /// `fs.inotify.max_user_instances`.
    var maxInstances: Int?
    /// Why this user gets no further instance.
    var instanceFailure: Errno?
    /// `fs.inotify.max_queued_events`.
    var maxQueuedEvents: Int?
    /// Watches that this user's other processes have.
    var watchesOfOthers = 0
    /// What the roots hold; nil when there is no root that can be read.
    var directories: DirectoryCount?
    /// Where directories without a watch are polled, how often.
    var pollInterval = ""

    /// openat2(2), without which nothing can be looked at.
    private static let required = KernelVersion(5, 6)

    var findings: [Finding] {
        guard let version else {
            return [.note("kernel", "its version cannot be found out", remedy: "uname -r; 5.6 or later is needed")]
        }
        if version < Self.required {
            return [
                .problem(
                    "kernel", "Linux \(version) has no openat2(2), which the tracker looks through",
                    remedy: "install a kernel of 5.6 or later: apt-get install linux-image-amd64, then reboot")
            ]
        }
        return [.ok("kernel", "Linux \(version)")]
    }

    var watchFindings: [Finding] { watches + instances + queue }
}

extension KernelFacts {
    private var watches: [Finding] {
        let isNamespace = (namespaceWatches ?? .max) < (maxWatches ?? .max)
        guard let limit = isNamespace ? namespaceWatches : maxWatches else {
            return [
                .note(
                    "inotify", "the limit of watches cannot be read",
                    remedy: "sysctl fs.inotify.max_user_watches; one for each directory below the roots is needed")
            ]
        }
        let name = isNamespace ? "user.max_inotify_watches" : "fs.inotify.max_user_watches"
        guard let directories else {
            return [.ok("inotify", "\(limit) watches (\(name)), and no directory to watch yet")]
        }
        let need = directories.directories + watchesOfOthers
        let others = watchesOfOthers == 0 ? "" : " and \(watchesOfOthers) in use by other programs of this user"
        let found = "\(limit.counted("watch", "watches")) (\(name)) for \(directories.text)\(others)"
        let value = WatchLimit.suggested(for: need, above: limit)
        let remedy =
            "sysctl -w \(name)=\(value), and to keep it: echo \(name)=\(value) > /etc/sysctl.d/60-inotify.conf"
        if need > limit {
            return [
                .problem(
                    "inotify",
                    "\(found): \(need - limit) of them would be polled every \(pollInterval) instead of watched",
                    remedy: remedy)
            ]
        }
        if need > limit / 5 * 4 {
            return [.warning("inotify", "\(found): there is little room for more", remedy: remedy)]
        }
        if !directories.isComplete {
            return [
                .note(
                    "inotify", "\(found): counting was cut short",
                    remedy: "start the tracker: from its index this command knows the number")
            ]
        }
        return [.ok("inotify", found)]
    }

    private var instances: [Finding] {
        let name = "fs.inotify.max_user_instances"
        if let instanceFailure {
            // Never below what is set: some distributions set more.
            let value = max(1_024, 2 * (maxInstances ?? 0))
            return [
                .problem(
                    "inotify", "no further inotify instance for this user (\(instanceFailure))",
                    remedy: "sysctl -w \(name)=\(value), and to keep it: "
                        + "echo \(name)=\(value) > /etc/sysctl.d/61-inotify.conf")
            ]
        }
        // 128 is the kernel's own value (fs/notify/inotify/inotify_user.c).
        guard let maxInstances, maxInstances < 128 else { return [] }
        return [
            .note(
                "inotify", "\(name) is \(maxInstances), below the kernel's default; the tracker needs one",
                remedy: "sysctl -w \(name)=128")
        ]
    }

    private var queue: [Finding] {
        let name = "fs.inotify.max_queued_events"
        guard let maxQueuedEvents, maxQueuedEvents < 16_384 else { return [] }
        return [
            .note(
                "inotify",
                "\(name) is \(maxQueuedEvents), below the kernel's default: a burst overflows it earlier, and each "
                    + "overflow costs a walk of all roots",
                remedy: "sysctl -w \(name)=16384, and to keep it: echo \(name)=16384 > /etc/sysctl.d/62-inotify.conf")
        ]
    }
}

/// How many directories and other entries the roots hold.
struct DirectoryCount: Equatable, Sendable {
    var directories: Int
    /// Entries of all kinds; nil where only the directories were counted.
    var entries: Int?
    /// Counting went to the end.
    var isComplete = true
    /// The numbers are the store's; else they were counted on the disk.
    var isFromIndex = false

    var text: String {
        (isComplete ? "" : "at least ") + directories.counted("directory", "directories")
            + (isFromIndex ? " of the index" : "")
    }
}

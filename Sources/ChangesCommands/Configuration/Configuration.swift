import LinuxKernel
import Offsite

/// What the tracker watches, where it writes, what it keeps, and what is copied where: the effective settings, whatever
/// they came from.
///
/// Paths and patterns are bytes. A value of this type is only made by functions that checked it.
public struct Configuration: Equatable, Sendable {
    public struct Watch: Equatable, Sendable {
        /// Glob patterns of the directories to watch, each absolute.
        public var roots: [[UInt8]] = [Array("/srv/nfs/*-backup".utf8)]
        /// Patterns in the manner of gitignore(5) of what is not tracked. `.nfs*` are the names that an NFS
        /// server gives to files that were removed while open.
        public var exclude: [[UInt8]] = [Array(".nfs*".utf8)]
        /// Whether mount points below a root are left alone.
        public var oneFileSystem = false
        /// How often directories are looked at that got no watch.
        public var pollInterval: Duration = .seconds(60)
        /// The URL of a dead man's switch that `changes status --check tracker --ping` tells how the tracker is.
        public var pingURL: String?
    }

    public struct Log: Equatable, Sendable {
        /// The file that changed paths are appended to, absolute.
        public var path = Array("/mnt/backup/.nfs-changes.log".utf8)
        /// A directory that must be a mount point for the log to be written; nil: no such condition.
        public var requireMount: [UInt8]?
    }

    public struct Store: Equatable, Sendable {
        /// The state directory, absolute.
        public var directory = Array("/var/lib/nfs-changes".utf8)
        /// How long history is kept.
        public var keep: Duration = .seconds(90 * 86_400)
        /// Bytes that the store may have before history is dropped that every consumer has seen.
        public var maxSize: Int64 = 1 << 30
        /// Bytes that the store may have before history is dropped that a consumer has still to see.
        public var maxSizeHard: Int64 = 4 << 30
    }

    public var watch = Watch()
    public var log = Log()
    public var store = Store()
    /// Their names are unique.
    public var destinations: [DestinationSettings] = []
    public var metrics = MetricsSettings()

    /// The defaults.
    ///
    /// - Parameter stateDirectory: the value of `$STATE_DIRECTORY`, which systemd sets to the unit's
    ///   `StateDirectory=`; several are separated by colons, and the first is taken.
    public init(stateDirectory: [UInt8]? = nil) {
        if let first = stateDirectory?.split(separator: UInt8(ascii: ":")).first { store.directory = Array(first) }
    }

    /// The defaults in this process's environment.
    public static var defaults: Configuration {
        Configuration(stateDirectory: ProcessContext.environmentVariable("STATE_DIRECTORY"))
    }
}

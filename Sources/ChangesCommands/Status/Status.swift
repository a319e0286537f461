import ChangeStore
import LinuxKernel
import Offsite
import TrackerDaemon

/// Everything that `changes status` shows.
struct Status {
    enum Tracker {
        case running(TrackerReport)
        case notRunning
        /// It cannot be asked; why.
        case unknown(String)
    }

    struct Store {
        var uuid: String
        /// Of the files, on their disk.
        var bytes: Int64
        var historyBytes: Int64
        /// When its oldest row was written.
        var oldest: Timestamp?
        var lastSequence: Int64
    }

    var tracker: Tracker
    /// What the store says, or why it cannot be read.
    var store: Result<Store, CommandFailure>
    var consumers: [ConsumerLag] = []
    var stateDirectory: [UInt8]
    var now: Timestamp

    enum Health: String {
        case healthy, degraded
        case notRunning = "not running"
        case unknown
    }

    /// What is wrong with the tracker, its log and its store, each with its remedy where one is known.
    var trackerReasons: [String] {
        var reasons: [String] = []
        if case .running(let report) = tracker { reasons += report.degraded }
        if case .failure(let failure) = store, failure.status != .permission {
            reasons.append(failure.message.split(separator: "\n").joined(separator: "; "))
        }
        return reasons
    }

    /// What is wrong with anything.
    var reasons: [String] {
        trackerReasons
            + consumers.flatMap { consumer in consumer.reasons(now: now).map { "\(consumer.title): \($0)" } }
    }

    var health: Health {
        switch tracker {
        case .notRunning: .notRunning
        case .unknown: .unknown
        case .running: reasons.isEmpty ? .healthy : .degraded
        }
    }

    var exitStatus: ExitStatus {
        switch health {
        case .healthy: .success
        case .degraded: .failure
        case .notRunning: .usage
        case .unknown: .inputOutput
        }
    }
}

extension Status {
    /// Asks the tracker, and reads the store.
    ///
    /// - Parameter destinations: those of the configuration, which are shown whether they have ever run or not.
    static func now(of directory: [UInt8], destinations: [DestinationSettings] = []) -> Status {
        var status = Status(
            tracker: tracker(of: directory), store: .failure(noStore(in: directory)),
            stateDirectory: directory, now: .now)
        do {
            let reader = try openStore(in: directory)
            status.store = .success(
                Store(
                    uuid: try reader.uuid, bytes: FileSystemLook.sizes(of: StoreFiles(directory: directory)),
                    historyBytes: try reader.historyBytes, oldest: try reader.oldest,
                    lastSequence: try reader.lastSequence))
            status.consumers = try ConsumerLag.all(
                in: reader, stateDirectory: directory, destinations: destinations)
        } catch let failure as CommandFailure {
            status.store = .failure(failure)
            // Who may not read them is not told that they have never run.
            if failure.status != .permission {
                status.consumers = ConsumerLag.all(withoutStore: destinations, stateDirectory: directory)
            }
        } catch {
            status.store = .failure(CommandFailure(.inputOutput, "the store cannot be read: \(error)"))
        }
        return status
    }

    private static func tracker(of directory: [UInt8]) -> Tracker {
        do throws(ControlError) {
            switch try ControlClient.request(.status, stateDirectory: directory, timeout: .seconds(10)) {
            case .ok(let text):
                guard let report = TrackerReport(parsing: text) else { throw .malformedReply }
                return .running(report)
            case .error(let reason): return .unknown(reason)
            }
        } catch {
            if case .notRunning = error { return .notRunning }
            return .unknown("\(error)")
        }
    }
}

extension FileSystemLook {
    /// Bytes of a store's files.
    fileprivate static func sizes(of files: StoreFiles) -> Int64 {
        ["", "-wal", "-shm"].reduce(0) { $0 + (size(of: files.database + Array($1.utf8)) ?? 0) }
    }
}

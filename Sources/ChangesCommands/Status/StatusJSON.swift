import ChangeStore
import LinuxKernel
import TrackerDaemon

/// The status as one JSON object, for programs.
enum StatusJSON {
    static func write(_ status: Status) -> [UInt8] {
        var output: [UInt8] = []
        var object = JSONObjectWriter(to: &output)
        object.append("health", text: Array(status.health.rawValue.utf8), to: &output)
        object.append("reasons", array: status.reasons, to: &output) { reason, output in
            JSONObjectWriter.appendString(Array(reason.utf8), to: &output)
        }
        object.append("state_directory", path: status.stateDirectory, to: &output)
        object.appendName("tracker", to: &output)
        if case .running(let report) = status.tracker {
            append(report, reasons: status.trackerReasons, to: &output)
        } else {
            appendNull(to: &output)
        }
        object.appendName("store", to: &output)
        if case .success(let store) = status.store { append(store, to: &output) } else { appendNull(to: &output) }
        object.append("consumers", array: status.consumers, to: &output) { append($0, now: status.now, to: &$1) }
        object.end(to: &output)
        output.append(UInt8(ascii: "\n"))
        return output
    }

    /// `health` and `reasons`.
    private static func append(
        reasons: [String], in object: inout JSONObjectWriter, to output: inout [UInt8]
    ) {
        object.append("health", word: reasons.isEmpty ? "healthy" : "degraded", to: &output)
        object.append("reasons", array: reasons, to: &output) { reason, output in
            JSONObjectWriter.appendString(Array(reason.utf8), to: &output)
        }
    }

    private static func append(_ report: TrackerReport, reasons: [String], to output: inout [UInt8]) {
        var object = JSONObjectWriter(to: &output)
        append(reasons: reasons, in: &object, to: &output)
        object.append("version", text: Array(report.version.utf8), to: &output)
        object.append("pid", number: Int64(report.process), to: &output)
        object.append("started", moment: report.startedAt, to: &output)
        let phase =
            switch report.phase {
            case .watching: "watching"
            case .comparing: "comparing"
            case .notRecording: "not recording"
            }
        object.append("phase", text: Array(phase.utf8), to: &output)
        object.append("sentence", text: Array(report.sentence.utf8), to: &output)
        object.append("directories", number: Int64(report.directories), to: &output)
        object.append("watches", number: Int64(report.watches), to: &output)
        if let limit = report.watchLimit { object.append("watch_limit", number: Int64(limit), to: &output) }
        object.append("polled", number: Int64(report.polled), to: &output)
        object.append("overflows", number: report.overflows, to: &output)
        object.append("changes_per_minute", array: report.minutes, to: &output) { $1.append(contentsOf: "\($0)".utf8) }
        object.append("roots", array: report.roots, to: &output) { root, output in
            var item = JSONObjectWriter(to: &output)
            item.append("path", path: root.path, to: &output)
            item.append("state", word: root.state.rawValue, to: &output)
            item.append("directories", number: Int64(root.directories), to: &output)
            item.end(to: &output)
        }
        object.append("further_roots", number: Int64(report.furtherRoots), to: &output)
        object.appendName("log", to: &output)
        var log = JSONObjectWriter(to: &output)
        log.append("path", path: report.log.path, to: &output)
        log.append("seq", number: report.log.position, to: &output)
        log.append("owed", number: report.log.owed, to: &output)
        log.end(to: &output)
        object.end(to: &output)
    }

    private static func append(_ store: Status.Store, to output: inout [UInt8]) {
        var object = JSONObjectWriter(to: &output)
        object.append("uuid", text: Array(store.uuid.utf8), to: &output)
        object.append("bytes", number: store.bytes, to: &output)
        object.append("history_bytes", number: store.historyBytes, to: &output)
        if let oldest = store.oldest { object.append("oldest", moment: oldest, to: &output) }
        object.append("last_seq", number: store.lastSequence, to: &output)
        object.end(to: &output)
    }

    static func append(_ consumer: ConsumerLag, now: Timestamp, to output: inout [UInt8]) {
        var object = JSONObjectWriter(to: &output)
        object.append("name", text: Array(consumer.name.utf8), to: &output)
        append(reasons: consumer.reasons(now: now), in: &object, to: &output)
        switch consumer.standing {
        case .behind(let changes):
            object.append("standing", word: "cursor", to: &output)
            object.append("changes", number: changes, to: &output)
            object.append("paths", number: consumer.paths, to: &output)
            object.append("bytes", number: consumer.bytes, to: &output)
            object.append("at_least", boolean: consumer.isMore, to: &output)
            if let oldest = consumer.oldest { object.append("oldest", moment: oldest, to: &output) }
        case .full(let reason):
            object.append("standing", word: "full", to: &output)
            object.append("reason", text: Array(reason.rawValue.utf8), to: &output)
        case .fullPass(let path):
            object.append("standing", text: Array("full pass".utf8), to: &output)
            object.append("done", path: path, to: &output)
        case .unreadable(let reason):
            object.append("standing", word: "unreadable", to: &output)
            object.append("reason", text: Array(reason.utf8), to: &output)
        }
        if let success = consumer.lastSuccess { object.append("last_success", moment: success, to: &output) }
        if let failure = consumer.lastFailure {
            object.append("last_failure", moment: failure.at, to: &output)
            object.append("last_error", text: Array(failure.reason.utf8), to: &output)
        }
        if let destination = consumer.destination {
            object.appendName("destination", to: &output)
            append(destination, of: consumer, now: now, to: &output)
        }
        object.end(to: &output)
    }

    private static func appendNull(to output: inout [UInt8]) { output.append(contentsOf: "null".utf8) }
}

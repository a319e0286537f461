import ChangeStore
import LinuxKernel

/// Destinations, within the object of their consumer.
extension StatusJSON {
    static func append(
        _ destination: DestinationState, of consumer: ConsumerLag, now: Timestamp, to output: inout [UInt8]
    ) {
        var object = JSONObjectWriter(to: &output)
        object.append("paused", boolean: destination.isPaused, to: &output)
        object.append("configured", boolean: destination.maxAge != nil, to: &output)
        if let worker = destination.worker {
            object.append("worker_alive", boolean: worker.isAlive(now: now), to: &output)
            object.append("worker_seen", moment: worker.seen, to: &output)
        }
        object.append("pending_paths", number: consumer.pendingPaths, to: &output)
        object.append("waiting_paths", number: destination.waiting?.count ?? 0, to: &output)
        if let oldest = consumer.oldestPending { object.append("oldest_pending", moment: oldest, to: &output) }
        object.append("quarantined_paths", number: destination.quarantined?.count ?? 0, to: &output)
        append("quarantined", destination.quarantined, in: &object, to: &output)
        object.append("held_deletions", number: destination.held?.count ?? 0, to: &output)
        if let reason = destination.heldReason {
            object.append("held_reason", text: Array(reason.utf8), to: &output)
        }
        append("held", destination.held, in: &object, to: &output)
        object.append("held_overwrites", number: destination.heldOverwrites?.count ?? 0, to: &output)
        if let reason = destination.heldOverwritesReason {
            object.append("held_overwrites_reason", text: Array(reason.utf8), to: &output)
        }
        append("overwrites", destination.heldOverwrites, in: &object, to: &output)
        if let drift = destination.drift { object.append("drift_paths", number: drift, to: &output) }
        if let orphans = destination.orphans { object.append("orphan_paths", number: orphans, to: &output) }
        object.append("metrics_failures", array: destination.metricsFailures, to: &output) { failure, output in
            JSONObjectWriter.appendString(Array(failure.utf8), to: &output)
        }
        object.end(to: &output)
    }

    /// The first paths of what waits; the number beside it counts all.
    private static func append(
        _ name: String, _ work: PendingWork?, in object: inout JSONObjectWriter, to output: inout [UInt8]
    ) {
        object.append(name, array: work?.shown ?? [], to: &output) { work, output in
            var item = JSONObjectWriter(to: &output)
            item.append("path", path: work.path, to: &output)
            item.append("reason", text: Array(work.reason.utf8), to: &output)
            item.append("since", moment: work.since, to: &output)
            if work.state == .quarantined {
                item.append("attempts", number: work.attempts, to: &output)
                item.append("due", moment: work.due, to: &output)
            }
            item.end(to: &output)
        }
    }
}

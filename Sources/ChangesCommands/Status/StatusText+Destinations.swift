import ChangeStore
import LinuxKernel
import Offsite

/// The consumers that are destinations of `changes sync`.
extension StatusText {
    /// Paths that are named on the screen; `--json` has more.
    private static let mostNamed = 5

    mutating func writeDestinations() {
        var label = "offsite"
        for consumer in status.consumers {
            guard let destination = consumer.destination else { continue }
            let paused = destination.isPaused ? Style.caution.of("PAUSED", on: screen) + ", " : ""
            line(
                label,
                Style.strong.of(consumer.name, on: screen) + ": \(paused)\(health(of: consumer))"
                    + standing(of: consumer))
            label = ""
            writeRuns(consumer)
            writeWorker(destination)
            if let waiting = destination.waiting {
                line("", "  \(counted(waiting.count, "path")) postponed: still being written, or gone")
            }
            if let drift = destination.drift {
                line("", "  the last verification found \(drift == 0 ? "no difference" : counted(drift, "difference"))")
            }
            if let orphans = destination.orphans, orphans > 0 {
                line(
                    "",
                    "  \(counted(orphans, "path")) at the destination no longer copied: `changes sync orphans "
                        + "\(consumer.name)` lists them")
            }
            write("quarantined", destination.quarantined)
            write("held deletion", destination.held)
            write("held overwrite", destination.heldOverwrites)
        }
    }

    private mutating func writeWorker(_ destination: DestinationState) {
        guard let worker = destination.worker else { return }
        if worker.isAlive(now: status.now) {
            line("", "  its worker, process \(worker.process), runs since \(time(worker.started))")
        } else {
            line("", "  no worker runs; the last one was seen \(time(worker.seen))")
        }
    }

    private mutating func write(_ title: String, _ work: PendingWork?) {
        guard let work else { return }
        for item in work.shown.prefix(Self.mostNamed) {
            var text = "\(title): \(TerminalText.of(item.path))"
            // Why something is held stands above.
            if item.state == .quarantined { text += ": \(TerminalText.of(Array(item.reason.utf8)))" }
            if item.state == .quarantined {
                text += " (\(item.attempts) \(item.attempts == 1 ? "attempt" : "attempts"), next \(time(item.due)))"
            }
            line("", "  " + text)
        }
        let rest = work.count - Int64(min(work.shown.count, Self.mostNamed))
        if rest > 0 { line("", "  \(title): and \(rest) more") }
    }
}

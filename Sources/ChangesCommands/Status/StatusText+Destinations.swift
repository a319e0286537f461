import ChangeStore
import LinuxKernel

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
                    + Self.standing(of: consumer, now: status.now))
            label = ""
            writeRuns(consumer)
            writeWorker(destination)
            if let waiting = destination.waiting {
                line("", "  \(waiting.count) \(waiting.count == 1 ? "path waits" : "paths wait") to settle or be there")
            }
            if let drift = destination.drift {
                line("", "  the last verification found \(drift == 0 ? "no difference" : "\(drift) differences")")
            }
            if let orphans = destination.orphans, orphans > 0 {
                line(
                    "",
                    "  \(orphans) \(orphans == 1 ? "path" : "paths") there no longer copied: `changes sync orphans "
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
            line("", "  no worker runs; the last one showed itself \(time(worker.seen))")
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

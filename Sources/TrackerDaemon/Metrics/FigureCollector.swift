import LinuxKernel
import Synchronization

/// Takes the tracker's figures from all its parts. It waits for none of them; the store is read through a connection of
/// its own, in at most a hundredth of the time.
final class FigureCollector: Sendable {
    private struct StoreLook {
        var figures: StoreFigures?
        var next = MonotonicTime(nanoseconds: 0)
    }
    private let board: StatusBoard
    private let changelog: ChangelogSlot
    private let pipeline: PipelineFigures
    private let stateDirectory: [UInt8]
    private let look = Mutex(StoreLook())

    init(board: StatusBoard, changelog: ChangelogSlot, pipeline: PipelineFigures, stateDirectory: [UInt8]) {
        (self.board, self.changelog, self.pipeline) = (board, changelog, pipeline)
        self.stateDirectory = stateDirectory
    }

    func figures(isStopping: Bool) -> TrackerFigures {
        var figures = TrackerFigures(isStopping: isStopping, updated: .now, report: board.report)
        // The store is being closed: nothing is read any more.
        guard !isStopping else { return figures }
        figures.unreadable = board.unreadable
        figures.counts = pipeline.snapshot
        let debt = changelog.debt
        figures.report.log.owed = debt.lines
        if debt.lines > 0 {
            let oldest = [figures.counts.delay.oldest, debt.since].compactMap(\.self).min()
            figures.oldestOwed = oldest.map { MonotonicTime.now - $0 } ?? 0
        }
        figures.store = storeFigures()
        return figures
    }

    private func storeFigures() -> StoreFigures? {
        look.withLock { look in
            let start = MonotonicTime.now
            guard start >= look.next else { return look.figures }
            look.figures = try? StoreFigures(stateDirectory: stateDirectory)
            let end = MonotonicTime.now
            look.next = MonotonicTime(nanoseconds: end.nanoseconds + (end - start) * 100)
            return look.figures
        }
    }
}

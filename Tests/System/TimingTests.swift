import Glibc
import LinuxKernel
import Testing

extension TimedSystemTests {
    /// What the log's readers are promised, by the clock that stamps its file.
    @Suite struct TimingTests {
        @Test(.timeLimit(.minutes(1))) func aLoneChangeIsThereAtOnce() throws {
            let site = try Site()
            try site.start()
            var delays: [Double] = []
            for number in 0..<10 {
                let path = site.root / Path("lone-\(number)")
                let start = Timestamp.now
                // A directory that stays empty as well: nobody knows that before.
                if number % 2 == 0 { try Disk.write(path) } else { try Disk.makeDirectory(path) }
                let isLogged = try wait(atMost: 5, every: 2) {
                    try site.log.refresh()
                    return site.log.lines.contains(path)
                }
                #expect(isLogged, "\(site.diagnosis)")
                delays.append(Double(try site.lastAppend().nanoseconds - start.nanoseconds) / 1e9)
            }
            #expect(delays.allSatisfy { $0 <= 0.2 }, "seconds: \(delays)")
            try site.expectComplete()
            site.tracker.stop()
        }

        /// Its times are set when it is full, as rsync does: the tracker has recorded it by then.
        @Test(.timeLimit(.minutes(1))) func aDirectoryThatIsFilledHasOneLine() throws {
            let site = try Site()
            try site.start()
            var lines: [Int] = []
            // A busy machine may take a pause for the end, but not each time.
            for number in 0..<10 where !lines.contains(1) {
                let directory = site.root / Path("week-\(number)")
                try Disk.makeDirectory(directory)
                for entry in 0..<10 { try Disk.write(directory / Path("\(entry)")) }
                let isRecorded = try wait(atMost: 5, every: 2) {
                    try site.collect()
                    return site.recorded.latest[directory / "9"] != nil
                }
                #expect(isRecorded, "\(site.diagnosis)")
                try Disk.setModified(directory, seconds: 1_000_000_000)
                try site.expectComplete()
                #expect(site.history.rows.count { $0.path == directory } > 1)
                lines.append(site.log.lines.filter { $0 == directory }.count)
            }
            #expect(lines.last == 1, "lines: \(lines)")
            site.tracker.stop()
        }

        /// SIGTERM in the middle of a storm: 0 within 2 s, and nothing that it had seen is forgotten.
        @Test(.timeLimit(.minutes(2)), arguments: [SIGTERM, SIGINT])
        func aStopIsQuickAndClean(_ signal: Int32) throws {
            let site = try Site()
            try site.start()
            let writers = Writers(root: site.root, files: 10_000, writers: 4)
            _ = wait(atMost: 30, every: 1) { writers.fileCount > 3_000 || writers.isFinished }
            site.tracker.signal(signal)
            let status = site.tracker.waitForExit(atMost: 2)
            #expect(status == .exited(0), "\(site.diagnosis)")
            #expect(site.tracker.notify.count(of: "STOPPING") == 1)
            writers.join()
            try site.tracker.start()
            try site.expectComplete()
            site.tracker.stop()
        }

        /// At most a line a second, and one within a second of the last write.
        @Test(.timeLimit(.minutes(3))) func aFileWrittenWithoutPause() throws {
            let seconds = Scale.pick(3, full: 60)
            let site = try Site()
            let path = site.root / "growing"
            try Disk.write(path)
            try site.start()
            let deadline = Deadline(Double(seconds))
            var last = Timestamp.now
            try Disk.withOpen(path, O_WRONLY | O_APPEND) { descriptor in
                while !deadline.isOver {
                    last = .now
                    try Disk.put([0x2E], to: descriptor, path)
                    pause(milliseconds: 1)
                }
            }
            try site.expectComplete()
            try site.log.refresh()
            let lines = site.log.lines.filter { $0 == path }.count
            #expect(lines >= seconds - 1 && lines <= seconds + 1, "\(lines) lines in \(seconds) s")
            let row = try #require(site.history.rows.last { $0.path == path })
            #expect(row.at >= last && row.at.nanoseconds - last.nanoseconds <= 1_000_000_000)
            site.tracker.stop()
        }
    }
}

import Glibc
import LinuxKernel
import Testing

extension ConsumeSystemTests {
    /// `changes consumer`, and one run at a time.
    @Suite struct ConsumerCommandTests {
        @Test(.timeLimit(.minutes(1))) func placesAreShownAndChanged() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            func ask(_ arguments: [String]) throws -> (text: String, status: ExitStatus) {
                let completed = try site.changes(["consumer"] + arguments)
                return (Path(completed.output).string + completed.errors, completed.status)
            }
            #expect(try ask(["list"]) == ("", .exited(0)))
            for command in ["show", "reset", "remove"] {
                let answer = try ask([command, "copy"])
                #expect(answer.status == .exited(69) && answer.text.contains("there is no consumer copy"), "\(answer)")
                #expect(try ask([command, "a/b"]).status == .exited(2))
            }
            _ = try recorder.take()
            #expect(try ask(["list"]).text == "copy: up to date\n")
            try Disk.write(site.root / "one", [UInt8](repeating: 1, count: 5_000))
            try site.settled()
            let behind = try ask(["show", "copy"])
            #expect(behind.text.contains("behind by") && behind.text.contains("the oldest"), "\(behind)")
            let json = try ask(["show", "copy", "--json"]).text
            #expect(json.contains(#""name":"copy""#) && json.contains(#""standing":"cursor""#), "\(json)")

            // Passed over.
            #expect(try ask(["reset", "copy", "--to", "now"]).status == .exited(0))
            #expect(try recorder.take() == nil)
            let far = try ask(["reset", "copy", "--to", "seq:99999999999"])
            #expect(far.status == .exited(1) && far.text.contains("ahead of this store"), "\(far)")
            #expect(try ask(["reset", "copy", "--to", "gibberish"]).status == .exited(2))
            // Once more.
            #expect(try ask(["reset", "copy", "--to", "seq:0"]).status == .exited(0))
            #expect(try recorder.take()?.paths.contains(site.root / "one") == true)
            #expect(try ask(["reset", "copy", "--to", "1h"]).status == .exited(0))
            let hour = try #require(try recorder.take())
            #expect(hour.full == "" && hour.paths.contains(site.root / "one"))
            // Everything.
            #expect(try ask(["reset", "copy"]).status == .exited(0))
            #expect(try ask(["list"]).text.contains("a full scan was requested"))
            let some = try #require(try recorder.take(["--max", "1"]))
            #expect(some.full == "requested" && some.lines == [site.root])
            #expect(try ask(["list"]).text.contains("done up to \(site.root)"))
            #expect(try recorder.take()?.full == "requested")
            #expect(try recorder.take() == nil)

            #expect(try ask(["remove", "copy"]).status == .exited(0))
            #expect(try ask(["list"]) == ("", .exited(0)))
            #expect(try recorder.take()?.full == "first")
            site.tracker.stop()
        }

        /// Also while a command that a killed one started goes on.
        @Test(.timeLimit(.minutes(1))) func oneRunAtATime() throws {
            let site = try Site()
            try site.start()
            let recorder = try Recorder(site)
            let script = #"echo $$ > "$0/pid.new"; mv "$0/pid.new" "$0/pid"; exec sleep 600"#
            let child = try recorder.launch([], script: script)
            #expect(wait(atMost: 10) { Disk.exists(recorder.directory / "pid") }, "\(recorder.output)")
            let command = try #require(pid_t(Path(try Disk.read(recorder.directory / "pid").dropLast()).string))
            defer { kill(command, SIGKILL) }
            func expectRefusal(sourceLocation: SourceLocation = #_sourceLocation) throws {
                let second = try recorder.run()
                #expect(second.completed.status == .exited(75), "\(second)", sourceLocation: sourceLocation)
                #expect(second.completed.errors.contains("runs already"), sourceLocation: sourceLocation)
                for arguments in [["reset", "copy"], ["remove", "copy"]] {
                    let refused = try site.changes(["consumer"] + arguments)
                    #expect(refused.status == .exited(75), "\(refused)", sourceLocation: sourceLocation)
                }
                // Others are none of its business.
                let other = try site.changes(["consume", "other", "--", "sh", "-c", "cat > /dev/null"])
                #expect(other.isSuccess, "\(other)", sourceLocation: sourceLocation)
                let list = try site.changes(["consumer", "list"])
                #expect(list.isSuccess && !list.output.isEmpty, sourceLocation: sourceLocation)
            }
            try expectRefusal()
            child.signal(SIGKILL)
            #expect(child.waitForExit(atMost: 10) == .signalled(SIGKILL))
            try expectRefusal()
            kill(command, SIGKILL)
            #expect(try wait(atMost: 10) { try recorder.run().completed.isSuccess })
            site.tracker.stop()
        }
    }
}

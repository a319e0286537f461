import Glibc
import Testing

extension SystemTests {
    /// What is told to others, from within the sandboxes of the units.
    @Suite(.thorough, .enabled(if: Container.obstacle == nil, "\(Container.obstacle ?? "")"))
    struct SystemdMonitoringTests {
        /// Answers each request with 200, and writes down its first line.
        private static let server = """
            use IO::Socket::INET;
            my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1:8080", Listen => 5, ReuseAddr => 1) or die $!;
            while (my $client = $server->accept) {
                my $line = <$client>;
                open(my $log, ">>", "/root/requests"); print $log $line; close $log;
                while (<$client>) { last if /^\\r?$/ }
                print $client "HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nOK";
                close $client;
            }
            """

        @Test(.timeLimit(.minutes(1)), .enabled(if: Programs.obstacle("curl") == nil, "needs curl"))
        func `the units may write their figures and tell a switch`() throws {
            let scratch = try Scratch()
            let container = try Container(in: scratch.path)
            let directory = container.path("/var/lib/prometheus/node-exporter")
            try Disk.makeDirectory(directory.parent)
            try Disk.makeDirectory(directory)
            try Disk.makeDirectory(container.path("/etc/nfs-changes"))
            let text = """
                [watch]
                ping_url = "http://127.0.0.1:8080/switch"
                [metrics]
                textfile_directory = "/var/lib/prometheus/node-exporter"

                """
            try Disk.write(container.path("/etc/nfs-changes/config.toml"), Array(text.utf8))
            try Disk.changeMode(container.path("/etc/nfs-changes/config.toml"), 0o600)
            try Disk.write(container.path("/root/server"), Array(Self.server.utf8))
            let served = try container.execute(["sh", "-c", "perl /root/server >/dev/null 2>&1 &"])
            #expect(served.isSuccess)
            #expect(try container.execute(["systemctl", "start", Container.unit]).isSuccess)
            let file = directory / "nfs-change-tracker.prom"
            func isUp(_ number: Int) -> Bool {
                wait(atMost: 20, every: 50) {
                    (try? Disk.read(file)).map { String(decoding: $0, as: UTF8.self) }?
                        .contains("\nnfs_changes_up \(number)\n") ?? false
                }
            }
            #expect(isUp(1))
            #expect(try Disk.status(file).st_mode & 0o777 == 0o644)
            // Each is a new file that took the name.
            let first = try Disk.status(file).st_ino
            #expect(try wait(atMost: 17, every: 50) { try Disk.status(file).st_ino != first })

            let unit = "nfs-change-tracker-ping.service"
            let told = try container.execute(["systemctl", "start", unit])
            let journal = try container.execute(["journalctl", "--no-pager", "--unit=\(unit)"])
            #expect(told.isSuccess, "\(told)\n\(journal)")
            func requests() throws -> [String] {
                String(decoding: try Disk.read(container.path("/root/requests")), as: UTF8.self)
                    .split { $0.isNewline }.map(String.init)
            }
            #expect(try requests() == ["POST /switch HTTP/1.1"])
            #expect(try container.execute(["systemctl", "stop", Container.unit]).isSuccess)
            #expect(isUp(0))
            // Not healthy: the unit has failed, for OnFailure= to act on.
            #expect(try !container.execute(["systemctl", "start", unit]).isSuccess)
            #expect(try requests() == ["POST /switch HTTP/1.1", "POST /switch/fail HTTP/1.1"])
            let timer = try container.execute(["systemd-analyze", "verify", "nfs-change-tracker-ping.timer"])
            #expect(timer.isSuccess, "\(timer)")
        }
    }
}

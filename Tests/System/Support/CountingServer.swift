import Glibc

/// An sshd whose rsync counts what clients send to it, so that what a transfer costs need not be taken from its own
/// word. (An rsync daemon's log says 0 for what it received.)
struct CountingServer {
    let server: SSHServer
    private let received: Path
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        let receiver = try Receiver.account()
        let programs = scratch.path / "bin"
        let place = scratch.path / "place"
        try Disk.makeDirectory(programs)
        try receiver.makeDirectory(place)
        received = place / "received"
        let other = Scale.environment("CHANGES_TEST_RECEIVER").map { Array("\($0)/rsync".utf8) }
        let installed = try run(["sh", "-c", "command -v rsync"]).output.filter { $0 != 0x0A }
        let real = other ?? installed
        let program = programs / "rsync"
        let script = """
            #!/usr/bin/perl
            # Ends as soon as rsync does: nothing else may hold the connection then.
            sub over { my $status = shift; syswrite LOG, "$sent\\n"; exit($status & 127 ? 255 : $status >> 8) }
            $sent = 0;
            open(LOG, ">>", "\(received)") && pipe(READER, WRITER) or die $!;
            $SIG{CHLD} = sub { over($?) if waitpid($pid, 1) == $pid };
            $SIG{PIPE} = "IGNORE";
            unless ($pid = fork) {
                open(STDIN, "<&", \\*READER); close WRITER;
                exec "\(Path(real))", @ARGV or die $!;
            }
            close READER;
            while (my $count = sysread(STDIN, my $bytes, 65536)) {
                $sent += $count;
                for (my $done = 0; $done < $count;) {
                    my $more = syswrite(WRITER, $bytes, $count - $done, $done) or last;
                    $done += $more;
                }
            }
            close WRITER;
            waitpid($pid, 0);
            over($?);

            """
        try Disk.write(program, Array(script.utf8))
        try Disk.changeMode(program, 0o755)
        server = try SSHServer(searchPath: programs)
    }

    /// Bytes that were sent since the last call.
    func take() throws -> Int {
        guard Disk.exists(received) else { return 0 }
        defer { try? Disk.truncate(received, to: 0) }
        return String(decoding: try Disk.read(received), as: UTF8.self).split(separator: "\n")
            .reduce(0) { $0 + (Int($1) ?? 0) }
    }
}

import Testing

extension SystemTests {
    /// `changes status` and the socket in /run beside the unit of this repository under a real systemd.
    @Suite(.enabled(if: Container.obstacle == nil, "\(Container.obstacle ?? "")"))
    struct SystemdStatusTests {
        private static let ordinary = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]

        @Test(.timeLimit(.minutes(1))) func anOrdinaryUserMayAskButNotChange() throws {
            let scratch = try Scratch()
            let container = try Container(in: scratch.path)
            func ask(_ arguments: [String]) throws -> (text: String, status: ExitStatus) {
                let completed = try container.execute(Self.ordinary + arguments)
                return (String(decoding: completed.output, as: UTF8.self) + completed.errors, completed.status)
            }
            // Nothing runs: that cannot be told from here.
            #expect(try ask(["changes", "status"]).status != .exited(0))
            #expect(try container.execute(["systemctl", "start", Container.unit]).isSuccess)
            let own = try container.execute(["changes", "status"])
            #expect(own.isSuccess && String(decoding: own.output, as: UTF8.self).contains("UUID"), "\(own)")

            let screen = try ask(["changes", "status"])
            #expect(screen.status == .exited(0), "\(screen)")
            #expect(screen.text.contains("healthy") && screen.text.contains("/srv/nfs/x-backup"), "\(screen)")
            #expect(screen.text.contains("not for this user to read"), "\(screen)")
            let json = try ask(["changes", "status", "--json"])
            let value = try #require(JSONValue(Array(json.text.utf8)), "\(json)")
            #expect(value["health"] == .string("healthy") && value["store"] == .null && value["tracker"] != .null)

            let refused = try ask(["changes", "accept", "/srv/nfs/x-backup"])
            #expect(refused.status == .exited(1) && refused.text.contains("permission denied"), "\(refused)")
            // Settling changes nothing, and is open to all.
            let request = """
                use Socket;
                socket(my $socket, AF_UNIX, SOCK_SEQPACKET, 0) or die "socket: $!";
                connect($socket, pack_sockaddr_un("/run/nfs-changes/control.sock")) or die "connect: $!";
                send($socket, $ARGV[0], 0);
                recv($socket, my $answer, 70000, 0);
                print $answer;
                """
            #expect(try ask(["perl", "-e", request, "settle"]).text == "ok")
            #expect(try ask(["perl", "-e", request, "accept /"]).text.hasPrefix("error permission denied"))
            #expect(try ask(["perl", "-e", request, "gibberish"]).text.hasPrefix("error unknown request"))
            // The state directory is closed to it, and its socket with it.
            #expect(try ask(["sh", "-c", "echo /var/lib/nfs-changes/*"]).text.contains("*"))
            let gone = try container.execute(["systemctl", "stop", Container.unit])
            #expect(gone.isSuccess)
            #expect(!Disk.exists(container.path("/run/nfs-changes")))
        }

        /// The group that an administrator gives the service may read its store.
        @Test(.timeLimit(.minutes(1))) func aMemberOfTheServicesGroupMayQuery() throws {
            let scratch = try Scratch()
            let container = try Container(in: scratch.path)
            let query = ["changes", "query", "--count"]
            #expect(try container.execute(["systemctl", "start", Container.unit]).isSuccess)
            let refused = try container.execute(Self.ordinary + query)
            #expect(refused.status == .exited(77) && refused.errors.contains("permission denied"), "\(refused)")
            #expect(try container.execute(["systemctl", "stop", Container.unit]).isSuccess)

            // With the store there already: the service manager hands all of it over.
            let dropIn = container.path(Path("/run/systemd/system/\(Container.unit).d"))
            try require(["mkdir", "-p", dropIn.string])
            try Disk.write(dropIn / "group.conf", Array("[Service]\nGroup=65534\n".utf8))
            #expect(try container.execute(["systemctl", "daemon-reload"]).isSuccess)
            #expect(try container.execute(["systemctl", "start", Container.unit]).isSuccess)
            let running = try container.execute(Self.ordinary + query)
            #expect(running.isSuccess, "\(running)")
            let settled = try container.execute(Self.ordinary + query + ["--settle"])
            #expect(settled.isSuccess, "\(settled)")
            #expect(try container.execute(["systemctl", "stop", Container.unit]).isSuccess)
            let stopped = try container.execute(Self.ordinary + query)
            #expect(stopped.isSuccess && stopped.output == running.output, "\(stopped)")
        }
    }
}

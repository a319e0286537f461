import ArgumentParser
import Offsite

/// The flags with which commands that read a store find it.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The state directory of the tracker. Without it: the configuration's, else $STATE_DIRECTORY, else "
                + "/var/lib/nfs-changes.", valueName: "dir"))
    var state: PathArgument?

    @Option(help: ArgumentHelp("The configuration file that names the state directory.", valueName: "file"))
    var config: PathArgument?

    /// The state directory. The configuration is not read where `--state` settles it.
    func directory() throws -> [UInt8] {
        if let state { return try state.absolute(option: "--state") }
        do throws(ConfigurationError) {
            return try ConfigurationSource(file: config?.bytes).load().store.directory
        } catch {
            throw CommandFailure(error)
        }
    }

    /// The state directory, and the destinations of the configuration. Beside `--state`, a configuration that nobody named
    /// counts only where it is about the same directory.
    func place() throws -> (directory: [UInt8], destinations: [DestinationSettings]) {
        guard let state else {
            do throws(ConfigurationError) {
                let configuration = try ConfigurationSource(file: config?.bytes).load()
                return (configuration.store.directory, configuration.destinations)
            } catch {
                throw CommandFailure(error)
            }
        }
        let directory = try state.absolute(option: "--state")
        do throws(ConfigurationError) {
            let configuration = try ConfigurationSource(file: config?.bytes).load()
            let isMeant = config != nil || configuration.store.directory == directory
            return (directory, isMeant ? configuration.destinations : [])
        } catch {
            if config != nil { throw CommandFailure(error) }
            return (directory, [])
        }
    }

    /// - Throws: `CommandFailure` when none is configured.
    func pingURL() throws -> String {
        let url: String?
        do throws(ConfigurationError) { url = try ConfigurationSource(file: config?.bytes).load().watch.pingURL } catch
        {
            throw CommandFailure(error)
        }
        guard let url else {
            throw CommandFailure(
                .configuration, "there is nobody to tell: set ping_url in [watch] of the configuration")
        }
        return url
    }
}

import ArgumentParser

/// `changes accept`: an administrator says that a held root is the right one.
struct Accept: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Releases a root that is held because it turned up on another file system or as another directory.",
        discussion: """
            From then on the directory counts as the root: what the index knows and the directory does not have is \
            recorded as deleted. It does the same for a mount point that is held, and records the removal of a root \
            that is missing. `systemctl status nfs-change-tracker` names them.
            """)

    @Argument(help: ArgumentHelp("The root or mount point that is held or missing.", valueName: "root"))
    var root: PathArgument

    @OptionGroup var store: StoreOptions

    func run() throws {
        try acceptRoot(root.absolute(option: "ROOT"), in: store.directory())
    }
}

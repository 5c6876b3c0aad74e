/* The least that a handler of exec can be: linked statically, it has nothing to load. */
int
main(void)
{
    return 0;
}
